// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names and constants of the file form; docs/image.md describes it.
#ifndef DOJO_RUNTIME_IMAGE_FORMAT_H
#define DOJO_RUNTIME_IMAGE_FORMAT_H

#include "dojo/Image/Image.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace dojo::image {

constexpr uint32_t formatVersion = 2;
constexpr uint32_t noteType = 1;
constexpr std::array<char, 8> noteOwner = {'d', 'o', 'j', 'o'}; // with its NUL, padded to 4 bytes

constexpr const char *noteSection = ".note.dojo";
constexpr const char *manifestSection = ".dojo.manifest";
constexpr const char *nodeSetSection = ".dojo.nodesets";
constexpr const char *blobSection = ".dojo.blobs";
constexpr const char *loadSection = ".dojo.load";
constexpr const char *entrySection = ".dojo.entry";
constexpr const char *pcMapSection = ".dojo.pcmap";
constexpr const char *boxSection = ".dojo.boxes";
constexpr const char *segmentSection = ".dojo.segments";
constexpr const char *codeSection = ".dojo.code";
constexpr const char *dataSection = ".dojo.data";

/// The note: Elf64_Nhdr (12 bytes), owner, then these.
struct NoteContent {
  uint32_t version, reserved;
  uint64_t codeSum; // of the code section
  uint64_t restSum; // of the file without the code section and the two sums
};
constexpr size_t noteSumsOffset = 12 + sizeof(noteOwner) + 8;
constexpr size_t noteBytes = 12 + sizeof(noteOwner) + sizeof(NoteContent);

/// A 64-bit sum in which any change of one 8-byte word shows for certain, others with probability
/// 1 - 2^-64. Not cryptographic.
uint64_t checksum(std::span<const uint8_t> bytes);

/// The sum of a file's bytes outside two ranges (offset, bytes).
uint64_t checksumOutside(std::span<const uint8_t> file, std::pair<uint64_t, uint64_t> a,
                         std::pair<uint64_t, uint64_t> b);

/// A section of a file.
struct SectionRef {
  std::string name;
  uint64_t offset = 0, bytes = 0;
};

/// The sections of an ELF64 file, its header and section table checked. False with \p error.
bool listSections(std::span<const uint8_t> file, std::vector<SectionRef> &out, std::string &error);

/// The manifest as JSON text, and back. Of boxes it holds the number only: reading makes as many
/// empty ones, at most \p maxBoxes in all.
std::string writeManifest(const Image &image);
bool readManifest(std::span<const uint8_t> text, uint64_t maxBoxes, Image &image,
                  std::string &error);

} // namespace dojo::image

#endif
