// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads a trace the way Perfetto does: packets, tracks, interned names, slices that nest. Field
// numbers are perfetto.protos'. What does not fit fails the test.
#ifndef DOJO_TEST_EMULATOR_TRACEREADER_H
#define DOJO_TEST_EMULATOR_TRACEREADER_H

#include <cstdint>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dojo::emu {

class TraceReader {
public:
  explicit TraceReader(std::string_view bytes) {
    for (const Field &packet : fields(bytes)) {
      EXPECT_EQ(packet.number, 1u);
      readPacket(packet.bytes);
    }
    for (const auto &[uuid, open] : openSlices)
      EXPECT_TRUE(open.empty()) << "open slice on track " << uuid;
  }

  /// "BEGIN-END NAME KEY=VALUE ..." of the slices of a track, in the order in which they end.
  std::vector<std::string> slicesOf(const std::string &group, const std::string &track) const {
    return find(slices, group + "/" + track);
  }
  std::vector<std::string> namesOf(const std::string &group, const std::string &track) const {
    return find(names, group + "/" + track);
  }
  /// "CYCLE NAME"
  std::vector<std::string> instantsOf(const std::string &group, const std::string &track) const {
    return find(instants, group + "/" + track);
  }
  uint64_t events = 0;

private:
  struct Field {
    unsigned number;
    uint64_t value = 0;
    std::string_view bytes;
  };
  struct Slice {
    uint64_t begin;
    std::string name, values;
  };
  using Lists = std::map<std::string, std::vector<std::string>>;

  static std::vector<std::string> find(const Lists &lists, const std::string &track) {
    auto it = lists.find(track);
    return it == lists.end() ? std::vector<std::string>() : it->second;
  }

  static uint64_t varint(std::string_view &bytes) {
    uint64_t value = 0;
    for (unsigned shift = 0; !bytes.empty() && shift < 64; shift += 7) {
      auto byte = static_cast<uint8_t>(bytes.front());
      bytes.remove_prefix(1);
      value |= uint64_t(byte & 0x7F) << shift;
      if (!(byte & 0x80))
        return value;
    }
    ADD_FAILURE() << "a number without end";
    return 0;
  }

  static std::vector<Field> fields(std::string_view bytes) {
    std::vector<Field> list;
    while (!bytes.empty()) {
      uint64_t key = varint(bytes);
      Field field{static_cast<unsigned>(key >> 3), 0, {}};
      if (key % 8 == 0) {
        field.value = varint(bytes);
      } else if (uint64_t size = varint(bytes); key % 8 == 2 && size <= bytes.size()) {
        field.bytes = bytes.substr(0, size);
        bytes.remove_prefix(size);
      } else {
        ADD_FAILURE() << "field " << field.number << " does not fit";
        break;
      }
      list.push_back(field);
    }
    return list;
  }

  void readPacket(std::string_view packet) {
    uint64_t time = 0, sequence = 0, flags = 0;
    std::string_view event;
    for (const Field &f : fields(packet))
      switch (f.number) {
      case 8:
        time = f.value;
        break;
      case 10:
        sequence = f.value;
        break;
      case 11:
        event = f.bytes;
        break;
      case 12:
        for (const Field &table : fields(f.bytes)) {
          std::vector<Field> entry = fields(table.bytes);
          ASSERT_EQ(entry.size(), 2u);
          ASSERT_TRUE(table.number == 2 || table.number == 3);
          auto &to = table.number == 2 ? eventNames : valueNames;
          EXPECT_TRUE(to.emplace(entry[0].value, entry[1].bytes).second);
        }
        break;
      case 13:
        flags = f.value;
        break;
      case 60:
        readTrack(f.bytes);
        break;
      default:
        ADD_FAILURE() << "packet field " << f.number;
      }
    EXPECT_EQ(sequence, 1u);
    if (event.empty())
      return;
    EXPECT_EQ(flags, events ? 2u : 3u);
    ++events;
    readEvent(time, event);
  }

  void readTrack(std::string_view descriptor) {
    uint64_t uuid = 0, parent = 0;
    std::string name;
    for (const Field &f : fields(descriptor)) {
      if (f.number == 1)
        uuid = f.value;
      else if (f.number == 2)
        name = f.bytes;
      else if (f.number == 5)
        parent = f.value;
      else if (f.number == 3)
        name = fields(f.bytes).at(1).bytes;
    }
    if (parent)
      name = tracks.at(parent) + "/" + name;
    EXPECT_TRUE(tracks.emplace(uuid, name).second);
  }

  void readEvent(uint64_t time, std::string_view event) {
    uint64_t type = 0, uuid = 0;
    std::string name, values;
    for (const Field &f : fields(event)) {
      if (f.number == 9)
        type = f.value;
      else if (f.number == 11)
        uuid = f.value;
      else if (f.number == 10)
        name = eventNames.at(f.value);
      else if (f.number == 23)
        name = f.bytes;
      else if (f.number == 4)
        values += " " + valueNames.at(fields(f.bytes).at(0).value) + "=" +
                  std::to_string(fields(f.bytes).at(1).value);
      else
        ADD_FAILURE() << "event field " << f.number;
    }
    const std::string &track = tracks.at(uuid);
    if (type == 3) {
      instants[track].push_back(std::to_string(time) + " " + name);
      return;
    }
    EXPECT_GE(time, times[uuid]) << "on " << track;
    times[uuid] = time;
    std::vector<Slice> &open = openSlices[uuid];
    if (type == 1) {
      open.push_back({time, name, values});
      return;
    }
    ASSERT_EQ(type, 2u);
    ASSERT_FALSE(open.empty()) << "an end without a begin on " << track;
    Slice s = open.back();
    open.pop_back();
    names[track].push_back(s.name);
    slices[track].push_back(std::to_string(s.begin) + "-" + std::to_string(time) + " " + s.name +
                            s.values);
  }

  std::map<uint64_t, std::string> tracks, eventNames, valueNames;
  std::map<uint64_t, uint64_t> times;
  std::map<uint64_t, std::vector<Slice>> openSlices;
  Lists slices, names, instants;
};

} // namespace dojo::emu

#endif
