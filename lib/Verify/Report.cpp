// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Verify/Verify.h"

#include <algorithm>

namespace dojo::verify {

const char *name(Verdict verdict) {
  switch (verdict) {
  case Verdict::Accept:
    return "accept";
  case Verdict::Undecided:
    return "undecided";
  case Verdict::Error:
    return "error";
  }
  return "";
}

const char *name(Check check) {
  switch (check) {
  case Check::Layouts:
    return "layouts";
  case Check::Transfers:
    return "transfers";
  case Check::Instructions:
    return "instructions";
  case Check::Order:
    return "order";
  }
  return "";
}

std::string Statistics::toString() const {
  auto number = [](const char *what, uint64_t value) { return std::to_string(value) + what; };
  return number(" threads, ", threads) + number(" control instructions, ", steps) +
         number(" calls, ", calls) + number(" transfers, ", transfers) +
         number(" deliveries, ", deliveries) + number(" signals, ", signals) +
         number(" waits, ", waits) + number(" accesses in order, ", accesses) +
         number(" instructions decoded, ", instructions) + number(" rounds\n", rounds);
}

void Report::add(Check check, Verdict verdict, std::string text) {
  unsigned c = unsigned(check);
  verdicts[c] = std::max(verdicts[c], verdict);
  if (++counts[c] > maxFindings)
    return;
  auto after = std::upper_bound(kept.begin(), kept.end(), check,
                                [](Check value, const Finding &f) { return value < f.check; });
  kept.insert(after, {check, verdict, std::move(text)});
}

Verdict Report::verdict() const { return *std::max_element(verdicts.begin(), verdicts.end()); }

std::string Report::toString() const {
  std::string text;
  for (unsigned c = 0; c < numChecks; ++c) {
    text += std::string(name(Check(c))) + ": " + name(verdicts[c]);
    if (counts[c])
      text += " (" + std::to_string(counts[c]) + (counts[c] == 1 ? " finding)" : " findings)");
    text += '\n';
    for (const Finding &finding : kept)
      if (finding.check == Check(c))
        text += std::string("  ") + name(finding.verdict) + ": " + finding.text + '\n';
    if (counts[c] > maxFindings)
      text += "  and " + std::to_string(counts[c] - maxFindings) + " more\n";
  }
  return text;
}

} // namespace dojo::verify
