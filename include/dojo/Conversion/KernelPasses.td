// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DOJO_CONVERSION_KERNELPASSES
#define DOJO_CONVERSION_KERNELPASSES

include "mlir/Pass/PassBase.td"

def VectorizeKernels : Pass<"dojo-vectorize-kernels", "func::FuncOp"> {
  let summary = "Turn linalg operations on local buffers into loops around 16-lane vector code";
  let description = [{
    Works on functions with the attribute `dojo.kernel`, in which every linalg operation is on
    memrefs of static shape and strides that lead to arguments of the function. `dojo.conv` stays.

    ```mlir
    linalg.generic {...} ins(%a : memref<8x40xbf16>) outs(%b : memref<8x40xf32>) {
    ^bb0(%x: bf16, %y: f32):
      %0 = arith.extf %x : bf16 to f32
      %1 = arith.negf %0 : f32
      linalg.yield %1 : f32
    }
    ```
    becomes (320 elements in a row are 20 vectors, four side by side)
    ```mlir
    scf.for %i = %c0 to %c320 step %c64 {
      %0 = vector.load %a_flat[%i] : memref<320xbf16>, vector<16xbf16>
      ...
      %4 = arith.extf %0 : vector<16xbf16> to vector<16xf32>
      ...
      vector.store %8, %b_flat[%i] : memref<320xf32>, vector<16xf32>
      ...
    }
    ```
    Afterwards the function holds `scf.for` with constant bounds and at least two iterations,
    `affine.apply`, loads and stores (`vector`, `memref`) on one-dimensional views of the
    arguments, `arith` and `math` on scalars and on vectors of 16, and `dojo.conv`. Vectors with
    constant lane offsets other than 0, 1, ... 15 are `vector.gather` and `vector.scatter`.

    If the kernel is one operation, thread `thread` of `threads` gets its part of the iterations of
    a parallel loop; of several operations, thread 0 does all.

    Sums over a dimension that became lanes are added up in another order than the loops of the
    operation say; all other results are bit for bit those of the loops.
  }];
  let options = [
    Option<"thread", "thread", "unsigned", "0", "Number of the thread the code is for">,
    Option<"threads", "threads", "unsigned", "1", "Number of threads that share the kernel">
  ];
  let dependentDialects = ["affine::AffineDialect", "arith::ArithDialect", "memref::MemRefDialect",
                           "scf::SCFDialect", "vector::VectorDialect"];
}

def ConvertKernelsToD1 : Pass<"convert-kernels-to-d1", "ModuleOp"> {
  let summary = "Turn vectorised kernels into programs of d1 instructions";
  let description = [{
    Replaces each function with the attribute `dojo.kernel`, after `dojo-vectorize-kernels`, by the
    `d1.func` of one thread: instructions on virtual registers and `d1.repeat`. Each argument needs
    the attribute `dojo.address`, the byte address of its memref's base.

    Loops become counted loops. An access whose address is linear in the loops' indices uses a
    pointer register that moves with the loops, shared with accesses up to 2 KiB apart that move
    alike, and an offset. Scalar floats are vectors with equal lanes. Functions like `math.exp`
    become sequences that start from the machine's estimates or from polynomials. A product that
    is only added to something becomes one operation with the sum, rounded once.

    `dojo.conv` becomes a matrix kernel: blocks of 8 pixels by groups of 8 output channels, one
    accumulator for each pair; operands loaded ahead over the borders of taps and rows; the region
    applied to 16 results at a time as the accumulators are drained.

    ```mlir
    scf.for %i = %c0 to %c320 step %c16 {
      %0 = vector.load %a[%i] : memref<320xbf16>, vector<16xbf16>
      %1 = arith.extf %0 : vector<16xbf16> to vector<16xf32>
      %2 = arith.negf %1 : vector<16xf32>
      vector.store %2, %b[%i] : memref<320xf32>, vector<16xf32>
    }
    ```
    becomes (with %a at 4096 and %b at 8192)
    ```mlir
    %p = d1.li.s 4096 : () -> !d1.x
    %q = d1.li.s 8192 : () -> !d1.x
    %n = d1.li.s 20 : () -> !d1.x
    %r:3 = d1.repeat %n(%p, %q) : (!d1.x, !d1.x, !d1.x) -> (!d1.x, !d1.x, !d1.x) {
    ^bb0(%p0: !d1.x, %q0: !d1.x):
      %0 = d1.vld 0(%p0), bf16, %m0 : (!d1.x, !d1.m<0>) -> !d1.v
      %1 = d1.vfneg %0 : (!d1.v) -> !d1.v
      d1.vst %1, 0(%q0), w32, %m0 : (!d1.v, !d1.x, !d1.m<0>) -> ()
      %p1 = d1.addi %p0, 32 : (!d1.x) -> !d1.x
      %q1 = d1.addi %q0, 64 : (!d1.x) -> !d1.x
      d1.yield %p1, %q1 : !d1.x, !d1.x
    }
    ```
  }];
  let options = [
    Option<"thread", "thread", "unsigned", "0", "Number of the thread the code is for">,
    Option<"threads", "threads", "unsigned", "1", "Number of threads that share the kernels">,
    Option<"accumulators", "accumulators", "unsigned", "8",
           "Matrix accumulators of a node, divided between the threads">,
    Option<"spillAddress", "spill-address", "int64_t", "0",
           "Byte address of memory for registers that do not fit">,
    Option<"spillBytes", "spill-bytes", "int64_t", "0", "Size of that memory; 0: none">
  ];
  let dependentDialects = ["d1::D1Dialect"];
}

def ScheduleProgram : Pass<"d1-schedule", "d1::FuncOp"> {
  let summary = "Reorder instructions to hide latencies";
  let description = [{
    List scheduling of the straight pieces of a structured program on virtual registers, for the
    latencies and slots of a target. Order is kept between accesses that may touch the same bytes:
    accesses with different `region` attributes do not, nor do those with one base and disjoint
    offsets. Control instructions and loops stay where they are. The number of values that live at
    once is kept below the number of registers where the order given allows it.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"d1\"", "Name or file of the target">
  ];
}

def AllocateRegisters : Pass<"d1-allocate-registers", "d1::FuncOp"> {
  let summary = "Give every virtual register a physical one";
  let description = [{
    Linear scan over the live ranges of the structured program. Afterwards all types name a
    register, and an operand that an instruction or a loop overwrites has the register of the
    result. Copies are inserted only where values that must share a register live at the same time.
    If registers run out, constants are made again in front of their readers, masks move to scalar
    registers, and other values go to the memory that the attribute `spill` names; without one that
    is an error.
  }];
}

def FinalizeProgram : Pass<"d1-finalize", "d1::FuncOp"> {
  let summary = "Turn structured loops into labels and loop instructions";
  let description = [{
    Works on programs with physical registers. Afterwards the body is what is encoded, in order.

    ```mlir
    %r:2 = d1.repeat %n(%p) : (!d1.x<1>, !d1.x<2>) -> (!d1.x<1>, !d1.x<2>) {
    ^bb0(%q: !d1.x<2>):
      %0 = d1.addi %q, 64 : (!d1.x<2>) -> !d1.x<2>
      d1.yield %0 : !d1.x<2>
    }
    ```
    becomes
    ```mlir
    d1.label @loop0
    %0 = d1.addi %p, 64 : (!d1.x<2>) -> !d1.x<2>
    %1 = d1.loop %n, @loop0 : (!d1.x<1>) -> !d1.x<1>
    ```
  }];
}

#endif // DOJO_CONVERSION_KERNELPASSES
