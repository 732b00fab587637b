// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Planning/SramPacker.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace dojo::planning {

namespace {

int64_t alignUp(int64_t a, int64_t alignment) { return (a + alignment - 1) & -alignment; }

int64_t endOf(const Reservation &r) { return r.address + r.bytes; }

/// Epochs renumbered so that only those in which some buffer starts or ends remain.
struct Compressed {
  std::vector<int32_t> first, last; // per buffer
  int32_t epochs = 0;

  explicit Compressed(const std::vector<PackBuffer> &buffers) {
    std::vector<int32_t> starts;
    for (const PackBuffer &b : buffers)
      starts.push_back(b.first);
    std::sort(starts.begin(), starts.end());
    starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
    epochs = static_cast<int32_t>(starts.size());
    auto number = [&](int32_t e) {
      return static_cast<int32_t>(std::upper_bound(starts.begin(), starts.end(), e) -
                                  starts.begin()) -
             1;
    };
    for (const PackBuffer &b : buffers) {
      first.push_back(number(b.first));
      last.push_back(number(b.last));
    }
  }
};

class Packer {
public:
  Packer(const PackProblem &problem, const PackOptions &options)
      : problem(problem), options(options), time(problem.buffers),
        reservations(problem.reservations) {
    std::sort(reservations.begin(), reservations.end(),
              [](const Reservation &a, const Reservation &b) { return a.address < b.address; });
  }

  Packing run() {
    Packing best;
    best.lowerBound = lowerBound();
    firstFit(best);
    if (best.lowerBound <= problem.capacity) {
      bool fits = best.peak <= problem.capacity;
      climb(best, fits ? options.improveOrders : options.fitOrders);
      fits = best.peak <= problem.capacity;
      if (best.peak > best.lowerBound)
        search(best, fits ? options.improveStates : options.fitStates);
    }
    best.fits = best.peak <= problem.capacity;
    return best;
  }

private:
  int64_t lowerBound() const {
    int64_t reserved = 0, highest = 0;
    for (const Reservation &r : reservations) {
      reserved += r.bytes;
      highest = std::max(highest, endOf(r));
    }
    std::vector<int64_t> live(time.epochs + 1, 0);
    for (size_t b = 0; b < problem.buffers.size(); ++b)
      for (int32_t e = time.first[b]; e <= time.last[b]; ++e)
        live[e] += problem.buffers[b].bytes;
    return std::max(highest, reserved + *std::max_element(live.begin(), live.end()));
  }

  int64_t peakOf(const std::vector<int64_t> &address) const {
    int64_t peak = 0;
    for (const Reservation &r : reservations)
      peak = std::max(peak, endOf(r));
    for (size_t b = 0; b < address.size(); ++b)
      peak = std::max(peak, address[b] + problem.buffers[b].bytes);
    return peak;
  }

  /// The lowest place for buffer b at or above \p from that misses the reservations.
  int64_t missReservations(size_t b, int64_t from) const {
    const PackBuffer &buffer = problem.buffers[b];
    int64_t at = alignUp(from, buffer.alignment);
    for (const Reservation &r : reservations)
      if (at < endOf(r) && at + buffer.bytes > r.address)
        at = alignUp(endOf(r), buffer.alignment);
    return at;
  }

  void firstFit(Packing &best) {
    using Key = std::pair<int64_t, int64_t>;
    auto life = [&](size_t b) { return int64_t(time.last[b] - time.first[b] + 1); };
    auto bytes = [&](size_t b) { return problem.buffers[b].bytes; };
    auto attempt = [&](auto key) {
      std::vector<size_t> order(problem.buffers.size());
      std::iota(order.begin(), order.end(), size_t(0));
      std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        Key ka = key(a), kb = key(b);
        return ka != kb ? ka > kb : a < b;
      });
      std::vector<int64_t> address = place(order);
      int64_t peak = peakOf(address);
      if (best.method.empty() || peak < best.peak) {
        best.address = std::move(address);
        best.peak = peak;
        best.method = "first fit";
        bestOrder = std::move(order);
      }
    };
    attempt([&](size_t b) { return Key(life(b) == time.epochs, bytes(b) * life(b)); });
    attempt([&](size_t b) { return Key(life(b) == time.epochs, bytes(b)); });
    attempt([&](size_t b) { return Key(life(b), bytes(b)); });
    attempt([&](size_t b) { return Key(-int64_t(time.first[b]), bytes(b)); });
  }

  std::vector<int64_t> place(const std::vector<size_t> &order) const {
    std::vector<int64_t> address(order.size(), 0);
    std::vector<size_t> placed; // by address
    for (size_t b : order) {
      int64_t at = missReservations(b, 0);
      for (size_t p : placed) {
        if (time.last[p] < time.first[b] || time.last[b] < time.first[p])
          continue;
        if (address[p] >= at + problem.buffers[b].bytes)
          break;
        at = std::max(at, missReservations(b, std::max(at, address[p] + problem.buffers[p].bytes)));
      }
      address[b] = at;
      placed.insert(std::upper_bound(placed.begin(), placed.end(), b,
                                     [&](size_t x, size_t y) { return address[x] < address[y]; }),
                    b);
    }
    return address;
  }

  bool meet(size_t a, size_t b) const {
    return time.first[a] <= time.last[b] && time.first[b] <= time.last[a];
  }

  /// Tries orders near the best one: a buffer at the peak, or one below it, changes places with
  /// one that lies below. Pseudo-random with a fixed seed.
  void climb(Packing &best, int64_t orders) {
    uint64_t state = 1;
    auto below = [&](size_t n) { // SplitMix64
      uint64_t z = (state += 0x9E3779B97F4A7C15ull);
      z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
      return static_cast<size_t>((z ^ (z >> 31)) % n);
    };
    std::vector<size_t> order = bestOrder;
    std::vector<int64_t> address = best.address;
    int64_t peak = best.peak;
    for (; orders > 0 && best.peak > best.lowerBound; --orders, ++best.explored) {
      std::vector<size_t> top, under;
      for (size_t b = 0; b < address.size(); ++b)
        if (address[b] + problem.buffers[b].bytes == peak)
          top.push_back(b);
      if (top.empty())
        return; // a reservation is the peak
      size_t mover = top[below(top.size())];
      for (size_t step = below(3);; --step) {
        under.clear();
        for (size_t b = 0; b < address.size(); ++b)
          if (b != mover && address[b] < address[mover] && meet(b, mover))
            under.push_back(b);
        if (under.empty() || step == 0)
          break;
        mover = under[below(under.size())];
      }
      if (under.empty())
        continue;
      size_t other = under[below(under.size())];
      std::vector<size_t> next = order;
      std::iter_swap(std::find(next.begin(), next.end(), mover),
                     std::find(next.begin(), next.end(), other));
      std::vector<int64_t> nextAddress = place(next);
      int64_t nextPeak = peakOf(nextAddress);
      if (nextPeak > peak)
        continue;
      order = std::move(next);
      address = std::move(nextAddress);
      peak = nextPeak;
      if (peak < best.peak) {
        best.address = address;
        best.peak = peak;
        best.method = "hill climbing";
        if (peak <= problem.capacity)
          orders = std::min(orders, options.improveOrders);
      }
    }
  }

  // Search.

  struct State {
    std::vector<int64_t> floor, open; // per epoch: top of what is placed, bytes still unplaced
    std::vector<int64_t> address;
    std::vector<size_t> unplaced; // in order of preference
    int64_t last = 0;
    size_t lastBuffer = 0;
  };

  void search(Packing &best, int64_t states) {
    left = states;
    State s;
    s.floor.assign(time.epochs, 0);
    s.open.assign(time.epochs, 0);
    s.address.assign(problem.buffers.size(), 0);
    std::vector<size_t> forever;
    for (size_t b = 0; b < problem.buffers.size(); ++b)
      (time.first[b] == 0 && time.last[b] == time.epochs - 1 ? forever : s.unplaced).push_back(b);
    // What is always alive costs nothing at the bottom.
    std::sort(forever.begin(), forever.end(), [&](size_t a, size_t b) {
      int64_t x = problem.buffers[a].alignment, y = problem.buffers[b].alignment;
      return x != y ? x > y : a < b;
    });
    int64_t bottom = 0;
    for (size_t b : forever) {
      s.address[b] = missReservations(b, bottom);
      bottom = s.address[b] + problem.buffers[b].bytes;
    }
    std::fill(s.floor.begin(), s.floor.end(), bottom);
    for (size_t b : s.unplaced)
      for (int32_t e = time.first[b]; e <= time.last[b]; ++e)
        s.open[e] += problem.buffers[b].bytes;
    auto area = [&](size_t b) {
      return problem.buffers[b].bytes * (time.last[b] - time.first[b] + 1);
    };
    std::sort(s.unplaced.begin(), s.unplaced.end(),
              [&](size_t a, size_t b) { return area(a) != area(b) ? area(a) > area(b) : a < b; });
    target = best.peak > problem.capacity ? problem.capacity : best.peak - 1;
    while (target >= best.lowerBound && left > 0) {
      State t = s;
      if (!explore(t))
        break;
      best.address = found;
      best.peak = peakOf(found);
      best.method = "search";
      target = best.peak - 1;
    }
    best.explored += states - left;
  }

  bool hopeless(const State &s) const {
    for (int32_t e = 0; e < time.epochs; ++e) {
      int64_t from = std::max(s.floor[e], s.last), need = from + s.open[e];
      if (s.open[e] == 0)
        continue;
      for (const Reservation &r : reservations)
        if (endOf(r) > from)
          need += endOf(r) - std::max(from, r.address);
      if (need > target)
        return true;
    }
    return false;
  }

  bool explore(State &s) {
    if (s.unplaced.empty()) {
      found = s.address;
      return true;
    }
    if (left-- <= 0 || hopeless(s))
      return false;
    struct Candidate {
      int64_t at;
      size_t index;
    };
    std::vector<Candidate> candidates;
    int64_t lowestTop = INT64_MAX;
    for (size_t i = 0; i < s.unplaced.size(); ++i) {
      size_t b = s.unplaced[i];
      int64_t floor =
          *std::max_element(s.floor.begin() + time.first[b], s.floor.begin() + time.last[b] + 1);
      int64_t at = missReservations(b, floor);
      lowestTop = std::min(lowestTop, at + problem.buffers[b].bytes);
      if (at + problem.buffers[b].bytes > target)
        return false;
      // Addresses ascend, equal ones in buffer order; another order gives the same packing. A
      // buffer passed over becomes a candidate again when what is placed below it lifts it.
      if (at > s.last || (at == s.last && b >= s.lastBuffer))
        candidates.push_back({at, i});
    }
    std::sort(candidates.begin(), candidates.end(), [](const Candidate &a, const Candidate &b) {
      return std::tie(a.at, a.index) < std::tie(b.at, b.index);
    });
    for (const Candidate &c : candidates) {
      if (c.at >= lowestTop)
        break; // some other buffer would fit below whole
      if (tryPlace(s, c.index, c.at))
        return true;
      if (left <= 0)
        return false;
    }
    return false;
  }

  bool tryPlace(State &s, size_t index, int64_t at) {
    size_t b = s.unplaced[index];
    int64_t bytes = problem.buffers[b].bytes;
    auto begin = s.floor.begin() + time.first[b], end = s.floor.begin() + time.last[b] + 1;
    std::vector<int64_t> saved(begin, end);
    int64_t savedLast = s.last;
    size_t savedBuffer = s.lastBuffer;
    std::fill(begin, end, at + bytes);
    for (int32_t e = time.first[b]; e <= time.last[b]; ++e)
      s.open[e] -= bytes;
    s.unplaced.erase(s.unplaced.begin() + static_cast<int64_t>(index));
    s.address[b] = at;
    s.last = at;
    s.lastBuffer = b;
    if (explore(s))
      return true;
    s.unplaced.insert(s.unplaced.begin() + static_cast<int64_t>(index), b);
    std::copy(saved.begin(), saved.end(), begin);
    for (int32_t e = time.first[b]; e <= time.last[b]; ++e)
      s.open[e] += bytes;
    s.last = savedLast;
    s.lastBuffer = savedBuffer;
    return false;
  }

  const PackProblem &problem;
  const PackOptions &options;
  Compressed time;
  std::vector<Reservation> reservations;
  std::vector<size_t> bestOrder; // of first fit
  int64_t left = 0, target = 0;
  std::vector<int64_t> found;
};

} // namespace

std::string checkPackProblem(const PackProblem &problem) {
  if (problem.capacity < 0)
    return "negative capacity";
  for (const PackBuffer &b : problem.buffers) {
    if (b.bytes < 0 || b.first > b.last)
      return "buffer '" + b.name + "' has a negative size or ends before it begins";
    if (b.alignment <= 0 || (b.alignment & (b.alignment - 1)))
      return "buffer '" + b.name + "': alignment is not a power of two";
  }
  std::vector<Reservation> sorted = problem.reservations;
  std::sort(sorted.begin(), sorted.end(),
            [](const Reservation &a, const Reservation &b) { return a.address < b.address; });
  int64_t end = 0;
  for (const Reservation &r : sorted) {
    if (r.bytes < 0 || r.address < end || endOf(r) > problem.capacity)
      return "reservation '" + r.name + "' overlaps another or leaves the memory";
    end = endOf(r);
  }
  return "";
}

Packing packSram(const PackProblem &problem, const PackOptions &options) {
  return Packer(problem, options).run();
}

int32_t epochOf(const std::vector<int32_t> &starts, int32_t layer) {
  return static_cast<int32_t>(std::upper_bound(starts.begin(), starts.end(), layer) -
                              starts.begin());
}

namespace {

/// The fewest epochs such that the buffers alive in any one sum to at most \p limit: each epoch is
/// made as long as possible, which is optimal since a part of an epoch never holds more.
std::vector<int32_t> divide(const PackProblem &p, int32_t layers, int64_t limit) {
  std::vector<int64_t> startBytes(layers, 0); // buffers that begin with a layer
  for (const PackBuffer &b : p.buffers)
    startBytes[std::clamp(b.first, 0, layers - 1)] += b.bytes;
  std::vector<int32_t> starts;
  int32_t begin = 0;
  int64_t sum = 0;
  for (int32_t l = 0; l < layers; ++l) {
    if (l > begin && sum + startBytes[l] > limit) {
      starts.push_back(l);
      begin = l;
    }
    if (l == begin) {
      sum = 0;
      for (const PackBuffer &b : p.buffers)
        if (b.first <= l && b.last >= l)
          sum += b.bytes;
    } else {
      sum += startBytes[l];
    }
  }
  return starts;
}

} // namespace

EpochChoice chooseEpochs(const PackProblem &byLayer, int32_t layers, const PackOptions &options) {
  layers = std::max(layers, 1);
  int64_t total = 0, reserved = 0;
  for (const PackBuffer &b : byLayer.buffers)
    total += b.bytes;
  for (const Reservation &r : byLayer.reservations)
    reserved += r.bytes;
  auto attempt = [&](std::vector<int32_t> starts) {
    EpochChoice c{std::move(starts), byLayer, {}};
    for (PackBuffer &b : c.problem.buffers) {
      b.first = epochOf(c.starts, b.first);
      b.last = epochOf(c.starts, b.last);
    }
    c.packing = packSram(c.problem, options);
    return c;
  };
  EpochChoice choice;
  for (size_t barriers = 0; barriers < static_cast<size_t>(layers); ++barriers) {
    // The smallest limit that needs no more barriers.
    int64_t low = 0, high = total;
    while (low < high) {
      int64_t mid = low + (high - low) / 2;
      if (divide(byLayer, layers, mid).size() <= barriers)
        high = mid;
      else
        low = mid + 1;
    }
    std::vector<int32_t> starts = divide(byLayer, layers, high);
    bool most = starts.size() < barriers || barriers + 1 == static_cast<size_t>(layers);
    bool hope = high + reserved <= byLayer.capacity;
    if (hope || most) {
      choice = attempt(starts);
      if (choice.packing.fits)
        return choice;
      std::vector<int32_t> longer = divide(byLayer, layers, byLayer.capacity - reserved);
      if (hope && longer != starts && longer.size() <= barriers) {
        EpochChoice other = attempt(longer);
        if (other.packing.fits)
          return other;
      }
    }
    if (starts.size() < barriers)
      break; // more barriers free nothing
  }
  std::vector<int32_t> every(layers - 1);
  std::iota(every.begin(), every.end(), 1);
  return attempt(every);
}

} // namespace dojo::planning
