// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writing an image: sections laid out one after the other, the section table last.
#include "Bytes.h"
#include "Format.h"
#include "dojo/Image/OutputFile.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <elf.h>
#include <set>
#include <tuple>

namespace dojo::image {
namespace {

std::vector<uint8_t> nodeSetTable(const Image &image) {
  ByteWriter w;
  for (const NodeSet &set : image.nodeSets)
    for (uint64_t word : set.bits)
      w.put(word);
  return std::move(w.bytes);
}

std::vector<uint8_t> blobTable(const Image &image) {
  ByteWriter w;
  for (const Blob &blob : image.blobs) {
    w.put(blob.offset);
    w.put(blob.bytes);
    w.put(uint64_t(blob.code));
  }
  return std::move(w.bytes);
}

std::vector<uint8_t> loadTable(const Image &image) {
  ByteWriter w;
  for (const Load &load : image.loads) {
    w.put(load.blob);
    w.put(load.address);
    w.put(load.nodeSet);
  }
  return std::move(w.bytes);
}

std::vector<uint8_t> entryTable(const Image &image) {
  ByteWriter w;
  for (const Entry &entry : image.entries) {
    w.put(entry.nodeSet);
    for (int32_t pc : entry.pc)
      w.put(pc);
  }
  return std::move(w.bytes);
}

std::vector<uint8_t> pcMapTable(const Image &image) {
  ByteWriter w;
  for (const PcRange &range : image.pcRanges) {
    w.put(range.nodeSet);
    w.put(range.begin);
    w.put(range.end);
    w.put(range.layer);
    w.put(range.symbol);
  }
  return std::move(w.bytes);
}

// Validation has bounded the entries: sizes and offsets by the tensor, strides by SRAM.
std::vector<uint8_t> boxTable(const Image &image) {
  ByteWriter w;
  for (const auto *list : {&image.inputs, &image.outputs, &image.tensors})
    for (const TensorRef &tensor : *list)
      for (const Box &box : tensor.boxes) {
        w.put(box.nodeSet);
        w.put(box.address);
        for (const auto *values : {&box.lo, &box.size, &box.strides})
          for (int64_t value : *values)
            w.put(int32_t(value));
      }
  return std::move(w.bytes);
}

std::vector<uint8_t> segmentTable(const Image &image) {
  ByteWriter w;
  for (const Segment &segment : image.segments) {
    w.put(segment.nodeSet);
    w.put(segment.begin);
    w.put(segment.end);
    w.put(segment.layer);
    w.put(uint32_t(segment.reads.size()));
    w.put(uint32_t(segment.writes.size()));
    w.put(uint32_t(segment.ignored.size()));
    for (const auto *regions : {&segment.reads, &segment.writes, &segment.ignored})
      for (const Region &region : *regions) {
        w.put(region.address);
        w.put(region.bytes);
        for (uint32_t count : region.count)
          w.put(count);
        for (int32_t stride : region.stride)
          w.put(stride);
      }
  }
  return std::move(w.bytes);
}

class Elf {
public:
  Elf() {
    file.resize(sizeof(Elf64_Ehdr));
    sections.emplace_back();
  }

  size_t add(const char *name, uint32_t type, std::span<const uint8_t> content, uint64_t align,
             uint64_t entryBytes = 0) {
    file.resize((file.size() + align - 1) / align * align);
    Elf64_Shdr header = {};
    header.sh_name = uint32_t(names.size());
    header.sh_type = type;
    header.sh_offset = file.size();
    header.sh_size = content.size();
    header.sh_addralign = align;
    header.sh_entsize = entryBytes;
    names += name;
    names += '\0';
    file.insert(file.end(), content.begin(), content.end());
    sections.push_back(header);
    return sections.size() - 1;
  }

  void addSymbols(const Image &image) {
    std::set<std::tuple<uint32_t, uint32_t, uint32_t>> functions;
    for (const PcRange &range : image.pcRanges)
      functions.insert({range.begin, range.end, range.symbol});
    std::string strings(1, '\0');
    std::vector<uint32_t> nameAt;
    for (const std::string &symbol : image.symbols) {
      nameAt.push_back(uint32_t(strings.size()));
      strings += symbol;
      strings += '\0';
    }
    ByteWriter w;
    w.put(Elf64_Sym{});
    for (auto [begin, end, symbol] : functions) {
      Elf64_Sym s = {};
      s.st_name = nameAt[symbol];
      s.st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC);
      s.st_shndx = SHN_ABS; // an address in SRAM, not a place in the file
      s.st_value = begin;
      s.st_size = end - begin;
      w.put(s);
    }
    size_t symtab = add(".symtab", SHT_SYMTAB, w.bytes, 8, sizeof(Elf64_Sym));
    sections[symtab].sh_link = uint32_t(sections.size());
    sections[symtab].sh_info = uint32_t(functions.size() + 1);
    add(".strtab", SHT_STRTAB, asBytes(strings), 1);
  }

  std::vector<uint8_t> finish() {
    // The name of the last section is part of its own content.
    std::string all = names + ".shstrtab" + '\0';
    size_t last = add(".shstrtab", SHT_STRTAB, asBytes(all), 1);
    file.resize((file.size() + 7) / 8 * 8);

    Elf64_Ehdr header = {};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_ident[EI_OSABI] = ELFOSABI_NONE;
    header.e_type = ET_EXEC;
    header.e_machine = EM_NONE; // D1 has no number assigned
    header.e_version = EV_CURRENT;
    header.e_shoff = file.size();
    header.e_ehsize = sizeof(Elf64_Ehdr);
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = uint16_t(sections.size());
    header.e_shstrndx = uint16_t(last);
    std::memcpy(file.data(), &header, sizeof(header));
    auto *table = reinterpret_cast<const uint8_t *>(sections.data());
    file.insert(file.end(), table, table + sections.size() * sizeof(Elf64_Shdr));
    return std::move(file);
  }

  static std::span<const uint8_t> asBytes(const std::string &text) {
    return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
  }

private:
  std::vector<uint8_t> file;
  std::vector<Elf64_Shdr> sections;
  std::string names = std::string(1, '\0');
};

std::vector<uint8_t> noteWithoutSums() {
  ByteWriter w;
  w.put(Elf64_Nhdr{5, sizeof(NoteContent), noteType});
  w.put(noteOwner);
  w.put(NoteContent{formatVersion, 0, 0, 0});
  return std::move(w.bytes);
}

} // namespace

bool serialize(const Image &image, std::vector<uint8_t> &out, std::string &error) {
  error = validate(image);
  if (!error.empty())
    return false;
  Elf elf;
  elf.add(noteSection, SHT_NOTE, noteWithoutSums(), 4);
  std::string manifest = writeManifest(image);
  elf.add(manifestSection, SHT_PROGBITS, Elf::asBytes(manifest), 1);
  elf.add(nodeSetSection, SHT_PROGBITS, nodeSetTable(image), 8);
  elf.add(blobSection, SHT_PROGBITS, blobTable(image), 8);
  elf.add(loadSection, SHT_PROGBITS, loadTable(image), 4);
  elf.add(entrySection, SHT_PROGBITS, entryTable(image), 4);
  elf.add(pcMapSection, SHT_PROGBITS, pcMapTable(image), 4);
  elf.add(boxSection, SHT_PROGBITS, boxTable(image), 4);
  elf.add(segmentSection, SHT_PROGBITS, segmentTable(image), 4);
  elf.add(codeSection, SHT_PROGBITS, image.code, 64);
  elf.add(dataSection, SHT_PROGBITS, image.data, 64);
  elf.addSymbols(image);
  out = elf.finish();
  if (!reseal(out)) {
    error = "the image just written has no checksum note";
    return false;
  }
  return true;
}

bool writeImage(const Image &image, const std::string &path, std::string &error) {
  std::vector<uint8_t> bytes;
  if (!serialize(image, bytes, error))
    return false;
  std::string temporary = temporaryFor(path);
  auto fail = [&](const char *what) {
    error = "cannot " + std::string(what) + " " + path + ": " + std::strerror(errno);
    dropTemporary(temporary, path);
    return false;
  };
  std::FILE *file = std::fopen(temporary.c_str(), "wb");
  if (!file)
    return fail("write");
  bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  if (std::fclose(file) != 0 || !written)
    return fail("write");
  if (!keepTemporary(temporary, path))
    return fail("write");
  return true;
}

} // namespace dojo::image
