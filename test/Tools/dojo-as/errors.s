# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# RUN: rm -f %t.d1
# RUN: not dojo-as %s -o %t.d1 2>&1 | FileCheck %s
# RUN: test ! -e %t.d1
# RUN: %python -c "import subprocess, sys; sys.exit(subprocess.run(['dojo-as', '%s', '-o', '%t.d1'], stderr=subprocess.DEVNULL).returncode != 2)"
# RUN: not dojo-as %s 2>&1 | FileCheck %s --check-prefix=USAGE
# RUN: not dojo-as %t.none -o %t.d1 2>&1 | FileCheck %s --check-prefix=NONE
# USAGE: usage: dojo-as FILE.s -o OUT.d1
# NONE: dojo-as: cannot read {{.*}}: No such file or directory

.target d1 1x1
# CHECK: errors.s:[[@LINE+1]]:{{.*}}error: 'add' lacks operand xb
        add x1, x2
# CHECK: errors.s:[[@LINE+1]]:{{.*}}error: operand target: 'away' is not a label or an address
        j away
