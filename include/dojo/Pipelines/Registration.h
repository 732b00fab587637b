// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DOJO_PIPELINES_REGISTRATION_H
#define DOJO_PIPELINES_REGISTRATION_H

namespace mlir {
class DialectRegistry;

namespace dojo {

/// Adds every dialect the compiler uses, with the extensions its passes need.
void registerDialects(DialectRegistry &registry);

/// Makes every pass and named pipeline known to the pass manager's text form: the project's own and
/// the upstream ones. Call once.
void registerPasses();

} // namespace dojo
} // namespace mlir

#endif // DOJO_PIPELINES_REGISTRATION_H
