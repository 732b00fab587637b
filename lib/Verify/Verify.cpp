// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Verify/Verify.h"

#include "Checks.h"

namespace dojo::verify {

/// Steps for which loops are followed: what two steps do to each other is the same for any two.
static constexpr unsigned loopSteps = 2;

/// What can be said of the image only with the loops that data end taking so many steps.
static void verifySteps(const Program &program, Report &report) {
  for (const Finding &finding : program.findings)
    report.add(finding.check, finding.verdict, finding.text);
  checkTransfers(program, report);
  checkOrder(program, report);
}

/// Loops may take no step at all.
static void verifyWithoutSteps(const ImageIndex &index, Report &report) {
  Report skipped;
  verifySteps(followImage(index, 0), skipped);
  for (const Finding &finding : skipped.findings())
    report.add(finding.check, finding.verdict, "if no loop takes a step: " + finding.text);
}

static void verify(const image::Image &image, const Intent *intent, Report &report) {
  if (std::string problem = image::validate(image); !problem.empty()) {
    report.add(Check::Layouts, Verdict::Error, problem);
    return;
  }
  ImageIndex index(image);
  checkLayouts(index, report);
  const bool loops = hasConditions(image);
  Program program = followImage(index, loops ? loopSteps : 1);
  verifySteps(program, report);
  // With an intent the code is what the compiler emitted, and the declarations are the compiler's.
  if (!intent)
    for (const Finding &finding : program.trusted)
      report.add(finding.check, finding.verdict, finding.text);
  report.statistics.threads = program.threads.size();
  report.statistics.steps = program.steps;
  report.statistics.calls = program.callsMade;
  checkInstructions(program, report);
  if (loops && report.verdict() == Verdict::Accept)
    verifyWithoutSteps(index, report);
  if (!intent)
    return;
  checkPlanned(loops ? followImage(index) : program, intent->transfers, report);
  checkListings(index, intent->listings, report);
  checkBoxes(index, intent->boxes, report);
  for (const char *key : {"cycle_free", "numbers"})
    if (!image.certificate.contains(key))
      report.add(Check::Transfers, Verdict::Error,
                 std::string("the certificate of the routes has no \"") + key + "\"");
}

void verifyImage(const image::Image &image, Report &report) { verify(image, nullptr, report); }

void verifyCompiled(const image::Image &image, const Intent &intent, Report &report) {
  verify(image, &intent, report);
}

void checkPlanned(const image::Image &image, const std::vector<PlannedTransfer> &planned,
                  Report &report) {
  ImageIndex index(image);
  checkPlanned(followImage(index), planned, report);
}

void checkListings(const image::Image &image, const std::vector<Listing> &listings,
                   Report &report) {
  checkListings(ImageIndex(image), listings, report);
}

} // namespace dojo::verify
