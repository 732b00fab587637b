// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Verify/Verify.h"

#include "Checks.h"

namespace dojo::verify {

void verifyImage(const image::Image &image, Report &report) {
  if (std::string problem = image::validate(image); !problem.empty()) {
    report.add(Check::Layouts, Verdict::Error, problem);
    return;
  }
  ImageIndex index(image);
  checkLayouts(index, report);
  Program program = followImage(index);
  for (const Finding &finding : program.findings)
    report.add(finding.check, finding.verdict, finding.text);
  report.statistics.threads = program.threads.size();
  report.statistics.steps = program.steps;
  report.statistics.calls = program.callsMade;
  checkTransfers(program, report);
  checkInstructions(program, report);
  checkOrder(program, report);
}

} // namespace dojo::verify
