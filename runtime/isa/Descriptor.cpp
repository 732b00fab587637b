// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/ISA/Descriptor.h"

namespace dojo::isa {
namespace {

template <typename T> void put(uint8_t *p, T value) {
  for (size_t i = 0; i < sizeof(T); ++i)
    p[i] = uint8_t(uint64_t(value) >> (8 * i));
}

template <typename T> T get(const uint8_t *p) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value |= uint64_t(p[i]) << (8 * i);
  return T(value);
}

bool fail(std::string *error, std::string text) {
  if (error)
    *error = "descriptor: " + std::move(text);
  return false;
}

} // namespace

void Descriptor::encode(uint8_t *out) const {
  out[0] = uint8_t(kind);
  out[1] = uint8_t(addressFromRegister | countFromRegister << 1 | hasFarSemaphore << 2 |
                   hasOwnSemaphore << 3 | multicast << 4);
  out[2] = addressRegister;
  out[3] = countRegister;
  put(out + 4, localAddress);
  if (multicast) {
    out[8] = uint8_t(run);
    out[9] = first;
    out[10] = last;
    out[11] = column;
  } else {
    put(out + 8, node);
    put(out + 10, die);
  }
  put(out + 12, remoteAddress);
  put(out + 16, runBytes);
  for (int i = 0; i < 3; ++i) {
    put(out + 20 + 4 * i, count[i]);
    put(out + 32 + 4 * i, localStride[i]);
    put(out + 44 + 4 * i, remoteStride[i]);
  }
  out[56] = farSemaphore;
  out[57] = ownSemaphore;
  put(out + 58, amount);
  put(out + 60, route);
  put(out + 62, uint16_t(0));
}

bool Descriptor::decode(const uint8_t *in, Descriptor &out, std::string *error) {
  out = Descriptor();
  if (in[0] > uint8_t(Kind::Signal))
    return fail(error, "unknown kind " + std::to_string(in[0]));
  if (in[1] >> 5)
    return fail(error, "unknown flags " + std::to_string(in[1]));
  if (in[2] > 31 || in[3] > 31)
    return fail(error, "register number over 31");
  if (in[62] || in[63])
    return fail(error, "bytes 62 and 63 are not zero");
  out.kind = Kind(in[0]);
  out.addressFromRegister = in[1] & 1;
  out.countFromRegister = in[1] >> 1 & 1;
  out.hasFarSemaphore = in[1] >> 2 & 1;
  out.hasOwnSemaphore = in[1] >> 3 & 1;
  out.multicast = in[1] >> 4 & 1;
  out.addressRegister = in[2];
  out.countRegister = in[3];
  out.localAddress = get<uint32_t>(in + 4);
  if (out.multicast) {
    if (in[8] > uint8_t(Run::Column))
      return fail(error, "unknown multicast kind " + std::to_string(in[8]));
    out.run = Run(in[8]);
    out.first = in[9];
    out.last = in[10];
    out.column = in[11];
  } else {
    out.node = get<uint16_t>(in + 8);
    out.die = get<uint16_t>(in + 10);
  }
  out.remoteAddress = get<uint32_t>(in + 12);
  out.runBytes = get<uint32_t>(in + 16);
  for (int i = 0; i < 3; ++i) {
    out.count[i] = get<uint32_t>(in + 20 + 4 * i);
    out.localStride[i] = get<int32_t>(in + 32 + 4 * i);
    out.remoteStride[i] = get<int32_t>(in + 44 + 4 * i);
  }
  out.farSemaphore = in[56];
  out.ownSemaphore = in[57];
  out.amount = get<uint16_t>(in + 58);
  out.route = get<uint16_t>(in + 60);
  return true;
}

} // namespace dojo::isa
