// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A transfer list is an array of these descriptors in the node's own SRAM, up to one of kind End.
// Encoded form: 64 bytes, little endian.
//
//   byte  0      kind
//   byte  1      flags: bit 0 local address from a register, bit 1 first count from a register,
//                bit 2 has a far semaphore, bit 3 has an own semaphore, bit 4 multicast
//   byte  2, 3   registers for address and first count
//   byte  4..7   local address
//   byte  8..11  destination node u16, die u16; multicast: kind, first, last, column (u8 each)
//   byte 12..15  remote address
//   byte 16..19  bytes of the innermost run
//   byte 20..31  three counts u32, innermost first; unused ones are 1
//   byte 32..43  three local strides i32, bytes
//   byte 44..55  three remote strides i32, bytes
//   byte 56, 57  far semaphore, own semaphore
//   byte 58..59  count of a wait or signal
//   byte 60..61  route index, 0xFFFF: along the row, then the column
//   byte 62..63  zero

#ifndef DOJO_ISA_DESCRIPTOR_H
#define DOJO_ISA_DESCRIPTOR_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace dojo::isa {

struct Descriptor {
  static constexpr size_t bytes = 64;
  static constexpr uint16_t rowThenColumn = 0xFFFF;

  enum class Kind : uint8_t { End, Push, Pull, Copy, Wait, Signal };
  /// RowRun: columns first..last of the own row, all on one side of the sender. ColumnRun: along
  /// the own row to `column`, then rows first..last of it, all on one side of the own row or with
  /// it at one end. `first` is the end nearer to the turn; first > last runs towards smaller
  /// indices.
  enum class Run : uint8_t { Row, Column };

  Kind kind = Kind::End;
  bool addressFromRegister = false;
  bool countFromRegister = false;
  bool hasFarSemaphore = false;
  bool hasOwnSemaphore = false;
  bool multicast = false;
  uint8_t addressRegister = 0, countRegister = 0; ///< x registers of the thread that runs the list
  uint32_t localAddress = 0;                      ///< bytes
  uint16_t node = 0, die = 0;                     ///< node = row * columns + column; not multicast
  Run run = Run::Row;                             ///< multicast only, like the next three
  uint8_t first = 0, last = 0, column = 0;
  uint32_t remoteAddress = 0; ///< bytes
  uint32_t runBytes = 0;
  uint32_t count[3] = {1, 1, 1};       ///< innermost first
  int32_t localStride[3] = {0, 0, 0};  ///< bytes
  int32_t remoteStride[3] = {0, 0, 0}; ///< bytes
  uint8_t farSemaphore = 0, ownSemaphore = 0;
  uint16_t amount = 0; ///< wait: subtracted from ownSemaphore; signal: added
  uint16_t route = rowThenColumn;

  bool operator==(const Descriptor &) const = default;

  /// Writes 64 bytes.
  void encode(uint8_t *out) const;

  /// Reads 64 bytes. False: undefined (unknown kind or flag, non-zero reserved bytes, a register
  /// number over 31), with the reason in `error` (may be null).
  static bool decode(const uint8_t *in, Descriptor &out, std::string *error);
};

} // namespace dojo::isa

#endif // DOJO_ISA_DESCRIPTOR_H
