// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The single checks. All take images that image::validate accepts.
#ifndef DOJO_LIB_VERIFY_CHECKS_H
#define DOJO_LIB_VERIFY_CHECKS_H

#include "ImageIndex.h"
#include "Program.h"
#include "dojo/Verify/Verify.h"

namespace dojo::verify {

void checkLayouts(const ImageIndex &index, Report &report);
void checkTransfers(const Program &program, Report &report);
void checkInstructions(const Program &program, Report &report);
void checkOrder(const Program &program, Report &report);
void checkPlanned(const Program &program, const std::vector<PlannedTransfer> &planned,
                  Report &report);
void checkListings(const ImageIndex &index, const std::vector<Listing> &listings, Report &report);
void checkBoxes(const ImageIndex &index, const std::vector<PlannedBox> &planned, Report &report);

} // namespace dojo::verify

#endif
