// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading an image. Nothing in the file is trusted: structure is checked here, meaning in
// Validate.cpp.
#include "Bytes.h"
#include "Format.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dojo::image {

bool listSections(std::span<const uint8_t> file, std::vector<SectionRef> &out, std::string &error) {
  auto fail = [&](const std::string &what) {
    error = what;
    return false;
  };
  Elf64_Ehdr header;
  if (file.size() < sizeof(header))
    return fail("the file is too short for an ELF header");
  std::memcpy(&header, file.data(), sizeof(header));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return fail("the file is not an ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_type != ET_EXEC || header.e_machine != EM_NONE)
    return fail("the file is an ELF file but not a Dojo image");
  uint64_t tableBytes = uint64_t(header.e_shnum) * sizeof(Elf64_Shdr);
  if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shoff > file.size() ||
      tableBytes > file.size() - header.e_shoff)
    return fail("the section table lies outside the file (truncated?)");
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  if (!sections.empty())
    std::memcpy(sections.data(), file.data() + header.e_shoff, tableBytes);
  for (size_t i = 0; i < sections.size(); ++i)
    if (const Elf64_Shdr &s = sections[i];
        s.sh_type != SHT_NULL &&
        (s.sh_offset > file.size() || s.sh_size > file.size() - s.sh_offset))
      return fail("section " + std::to_string(i) + " lies outside the file (truncated?)");
  if (header.e_shstrndx >= sections.size() || sections[header.e_shstrndx].sh_type != SHT_STRTAB)
    return fail("there is no table of section names");
  std::string_view names(reinterpret_cast<const char *>(file.data()) +
                             sections[header.e_shstrndx].sh_offset,
                         sections[header.e_shstrndx].sh_size);
  for (size_t i = 0; i < sections.size(); ++i) {
    const Elf64_Shdr &s = sections[i];
    if (s.sh_type == SHT_NULL)
      continue;
    size_t end = s.sh_name < names.size() ? names.find('\0', s.sh_name) : names.npos;
    if (end == names.npos)
      return fail("the name of section " + std::to_string(i) + " lies outside the name table");
    SectionRef ref{std::string(names.substr(s.sh_name, end - s.sh_name)), s.sh_offset, s.sh_size};
    for (const SectionRef &other : out)
      if (other.name == ref.name)
        return fail("there are two sections " + ref.name);
    out.push_back(std::move(ref));
  }
  return true;
}

namespace {

const SectionRef *find(const std::vector<SectionRef> &sections, std::string_view name) {
  for (const SectionRef &section : sections)
    if (section.name == name)
      return &section;
  return nullptr;
}

// Offset of the two sums in the file, or 0 if the note is not there or not ours.
uint64_t findSums(std::span<const uint8_t> file, const std::vector<SectionRef> &sections) {
  const SectionRef *note = find(sections, noteSection);
  if (!note || note->bytes != noteBytes)
    return 0;
  Elf64_Nhdr header;
  std::memcpy(&header, file.data() + note->offset, sizeof(header));
  if (header.n_namesz != 5 || header.n_descsz != sizeof(NoteContent) || header.n_type != noteType ||
      std::memcmp(file.data() + note->offset + sizeof(header), noteOwner.data(),
                  sizeof(noteOwner)) != 0)
    return 0;
  return note->offset + noteSumsOffset;
}

class Parser {
public:
  Parser(std::span<const uint8_t> file, Image &image, std::string &error)
      : file(file), image(image), error(error) {}

  bool parse() {
    if (!listSections(file, sections, error))
      return false;
    for (const char *name :
         {noteSection, manifestSection, nodeSetSection, blobSection, loadSection, entrySection,
          pcMapSection, boxSection, segmentSection, codeSection, dataSection})
      if (!find(sections, name))
        return fail("there is no section " + std::string(name));
    if (!checkSums() ||
        !readManifest(section(manifestSection), section(boxSection).size() / 8, image, error))
      return false;
    image.code = section(codeSection);
    image.data = section(dataSection);
    return readNodeSets() && readTables() && readBoxes() && readSegments();
  }

private:
  bool fail(const std::string &what) {
    error = what;
    return false;
  }

  std::span<const uint8_t> section(const char *name) {
    const SectionRef *ref = find(sections, name);
    return file.subspan(ref->offset, ref->bytes);
  }

  bool checkSums() {
    uint64_t at = findSums(file, sections);
    if (!at)
      return fail("the note with version and checksum is malformed");
    NoteContent note;
    std::memcpy(&note, file.data() + at - 8, sizeof(note));
    if (note.version != formatVersion || note.reserved != 0)
      return fail("the image has format version " + std::to_string(note.version) +
                  "; this loader reads version " + std::to_string(formatVersion));
    const SectionRef *code = find(sections, codeSection);
    if (checksumOutside(file, {at, 16}, {code->offset, code->bytes}) != note.restSum)
      return fail("the checksum does not match: the file is damaged");
    // Erased code is well defined: it decodes as undefined instructions, and the machine says so.
    std::span<const uint8_t> bytes = section(codeSection);
    bool erased = std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; });
    if (!erased && checksum(bytes) != note.codeSum)
      return fail("the checksum of the code does not match: the file is damaged");
    return true;
  }

  bool readNodeSets() {
    size_t words = nodeSetWords(image.target);
    ByteReader r(section(nodeSetSection));
    if (r.left() % (8 * words))
      return fail(odd(nodeSetSection));
    image.nodeSets.resize(r.left() / (8 * words));
    for (NodeSet &set : image.nodeSets) {
      set.bits.resize(words);
      for (uint64_t &word : set.bits)
        word = r.get<uint64_t>();
    }
    return true;
  }

  // A table of records of one size.
  template <class T, class F>
  bool readTable(const char *name, size_t recordBytes, std::vector<T> &out, F readRecord) {
    ByteReader r(section(name));
    if (r.left() % recordBytes)
      return fail(odd(name));
    out.resize(r.left() / recordBytes);
    for (T &record : out)
      readRecord(r, record);
    return true;
  }

  bool readTables() {
    bool flagsGood = true;
    bool good = readTable(blobSection, 24, image.blobs, [&](ByteReader &r, Blob &b) {
      b.offset = r.get<uint64_t>();
      b.bytes = r.get<uint64_t>();
      uint64_t flags = r.get<uint64_t>();
      flagsGood &= flags <= 1;
      b.code = flags & 1;
    });
    if (!flagsGood)
      return fail("a blob has unknown flags");
    good = good && readTable(loadSection, 12, image.loads, [](ByteReader &r, Load &l) {
             l.blob = r.get<uint32_t>();
             l.address = r.get<uint32_t>();
             l.nodeSet = r.get<uint32_t>();
           });
    good = good && readTable(entrySection, 20, image.entries, [](ByteReader &r, Entry &e) {
             e.nodeSet = r.get<uint32_t>();
             for (int32_t &pc : e.pc)
               pc = r.get<int32_t>();
           });
    return good && readTable(pcMapSection, 20, image.pcRanges, [](ByteReader &r, PcRange &p) {
             p.nodeSet = r.get<uint32_t>();
             p.begin = r.get<uint32_t>();
             p.end = r.get<uint32_t>();
             p.layer = r.get<int32_t>();
             p.symbol = r.get<uint32_t>();
           });
  }

  bool readBoxes() {
    ByteReader r(section(boxSection));
    for (auto *list : {&image.inputs, &image.outputs, &image.tensors})
      for (TensorRef &tensor : *list)
        for (Box &box : tensor.boxes) {
          box.nodeSet = r.get<uint32_t>();
          box.address = r.get<uint32_t>();
          for (auto *values : {&box.lo, &box.size, &box.strides}) {
            if (r.left() / 4 < tensor.shape.size())
              return fail(odd(boxSection));
            values->resize(tensor.shape.size());
            for (int64_t &value : *values)
              value = r.get<int32_t>();
          }
        }
    return r.done() || fail(odd(boxSection));
  }

  bool readSegments() {
    ByteReader r(section(segmentSection));
    while (r.left()) {
      Segment &s = image.segments.emplace_back();
      s.nodeSet = r.get<uint32_t>();
      s.begin = r.get<uint32_t>();
      s.end = r.get<uint32_t>();
      s.layer = r.get<int32_t>();
      uint64_t reads = r.get<uint32_t>(), writes = r.get<uint32_t>(), ignored = r.get<uint32_t>();
      if (!r.ok() || (reads + writes + ignored) * 32 > r.left())
        return fail(odd(segmentSection));
      s.reads.resize(reads);
      s.writes.resize(writes);
      s.ignored.resize(ignored);
      for (auto *regions : {&s.reads, &s.writes, &s.ignored})
        for (Region &region : *regions) {
          region.address = r.get<uint32_t>();
          region.bytes = r.get<uint32_t>();
          for (uint32_t &count : region.count)
            count = r.get<uint32_t>();
          for (int32_t &stride : region.stride)
            stride = r.get<int32_t>();
        }
    }
    return true;
  }

  static std::string odd(const char *name) {
    return "section " + std::string(name) + " does not have the size its records need";
  }

  std::span<const uint8_t> file;
  Image &image;
  std::string &error;
  std::vector<SectionRef> sections;
};

struct Mapping {
  void *address = nullptr;
  size_t bytes = 0;
  ~Mapping() {
    if (address)
      munmap(address, bytes);
  }
};

} // namespace

bool parseImage(std::span<const uint8_t> file, std::shared_ptr<const void> storage, Image &out,
                std::string &error) {
  out = Image();
  error.clear();
  if (!Parser(file, out, error).parse())
    return false;
  error = validate(out);
  if (!error.empty())
    return false;
  out.storage = std::move(storage);
  return true;
}

bool readImage(const std::string &path, Image &out, std::string &error) {
  auto fail = [&](const std::string &what) {
    error = path + ": " + what;
    return false;
  };
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return fail(std::string("cannot open the image: ") + std::strerror(errno));
  struct stat status;
  auto mapping = std::make_shared<Mapping>();
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(fd);
    return fail("the image is not a regular file");
  }
  if (status.st_size > 0) {
    void *address = mmap(nullptr, status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (address == MAP_FAILED) {
      int reason = errno;
      close(fd);
      return fail(std::string("cannot map the image: ") + std::strerror(reason));
    }
    mapping->address = address;
    mapping->bytes = size_t(status.st_size);
  }
  close(fd);
  std::span<const uint8_t> bytes(static_cast<const uint8_t *>(mapping->address), mapping->bytes);
  std::string problem;
  return parseImage(bytes, mapping, out, problem) || fail(problem);
}

bool reseal(std::span<uint8_t> file) {
  std::vector<SectionRef> sections;
  std::string error;
  if (!listSections(file, sections, error))
    return false;
  uint64_t at = findSums(file, sections);
  const SectionRef *code = find(sections, codeSection);
  if (!at || !code)
    return false;
  uint64_t sums[2] = {checksum(file.subspan(code->offset, code->bytes)),
                      checksumOutside(file, {at, 16}, {code->offset, code->bytes})};
  std::memcpy(file.data() + at, sums, sizeof(sums));
  return true;
}

} // namespace dojo::image
