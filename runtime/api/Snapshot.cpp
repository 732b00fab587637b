// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Snapshot files. Little endian: magic, version, flags (0), sum of the image, bytes of the state,
// the state (emulator's Session), sum of everything before.
#include "dojo/Image/OutputFile.h"
#include "dojo/Runtime/Runtime.h"
#include "runtime/image/Format.h"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace dojo {

namespace {

constexpr char magic[8] = {'D', 'O', 'J', 'O', 'S', 'N', 'A', 'P'};
constexpr uint32_t version = 4;

struct Header {
  char magic[8];
  uint32_t version, flags;
  uint64_t imageSum, stateBytes;
};
static_assert(sizeof(Header) == 32);

bool fail(std::string &error, const std::string &path, const std::string &what) {
  error = path + ": " + what;
  return false;
}

bool readWhole(const std::string &path, std::vector<uint8_t> &out, std::string &error) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::streamoff size = file ? std::streamoff(file.tellg()) : -1;
  if (size < 0)
    return fail(error, path, std::string("cannot open the snapshot: ") + std::strerror(errno));
  out.resize(size_t(size));
  file.seekg(0);
  if (!file.read(reinterpret_cast<char *>(out.data()), size))
    return fail(error, path, "cannot read the snapshot");
  return true;
}

} // namespace

bool Runtime::imageSum(uint64_t &out, std::string &error) {
  if (!sum) {
    std::vector<uint8_t> bytes;
    if (!image::serialize(program, bytes, error))
      return false;
    sum = image::checksum(bytes);
  }
  out = *sum;
  return true;
}

bool Runtime::saveSnapshot(const std::string &path, std::string &error) {
  Header header = {};
  std::memcpy(header.magic, magic, sizeof magic);
  header.version = version;
  if (!imageSum(header.imageSum, error))
    return false;
  std::vector<uint8_t> bytes(sizeof header);
  if (!live) {
    error = "no run is under way";
    return false;
  }
  if (!live->save(bytes, error))
    return false;
  header.stateBytes = bytes.size() - sizeof header;
  std::memcpy(bytes.data(), &header, sizeof header);
  uint64_t check = image::checksum(bytes);
  bytes.insert(bytes.end(), reinterpret_cast<uint8_t *>(&check),
               reinterpret_cast<uint8_t *>(&check + 1));

  std::string temporary = temporaryFor(path);
  std::FILE *file = std::fopen(temporary.c_str(), "wb");
  bool good = file && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  if (file && std::fclose(file) != 0)
    good = false;
  if (good && keepTemporary(temporary, path))
    return true;
  error = "cannot write '" + path + "': " + std::strerror(errno);
  if (file)
    dropTemporary(temporary, path);
  return false;
}

bool Runtime::resume(const std::string &path, const emu::RunOptions &options, std::string &error) {
  std::vector<uint8_t> bytes;
  if (!readWhole(path, bytes, error))
    return false;
  Header header = {};
  if (bytes.size() >= sizeof header)
    std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, magic, sizeof magic) != 0)
    return fail(error, path, "is no snapshot");
  if (header.version != version)
    return fail(error, path,
                "is a snapshot of version " + std::to_string(header.version) +
                    "; this program reads version " + std::to_string(version));
  std::span<const uint8_t> all = bytes;
  uint64_t check = 0;
  if (all.size() - sizeof header < sizeof check ||
      header.stateBytes != all.size() - sizeof header - sizeof check || header.flags != 0)
    return fail(error, path, "the snapshot is cut off or damaged");
  std::memcpy(&check, all.data() + all.size() - sizeof check, sizeof check);
  if (check != image::checksum(all.first(all.size() - sizeof check)))
    return fail(error, path, "the checksum does not match: the snapshot is damaged");
  uint64_t own = 0;
  if (!imageSum(own, error))
    return false;
  if (own != header.imageSum)
    return fail(error, path, "the snapshot is of another image");
  live.reset();
  live = emu::Session::resume(*die, options, all.subspan(sizeof header, header.stateBytes), error);
  if (!live)
    return fail(error, path, error);
  timed = options.timing;
  forgetCaptures();
  return true;
}

} // namespace dojo
