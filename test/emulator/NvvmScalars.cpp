// NVVM's arithmetic as plain LLVM IR. The .approx forms are computed exactly rounded: results
// differ from hardware's in the last bits that the PTX manual leaves open.
#include "test/emulator/Rewrite.h"

#include "llvm/IR/Intrinsics.h"

using namespace llvm;

namespace cnn::emulator {

Value *NvvmCalls::scalar(IRBuilder<> &builder, CallInst &call, StringRef name) {
  Type *type = call.getType();
  auto operand = [&](unsigned i) { return call.getArgOperand(i); };
  auto is = [&](StringRef operation) {
    return name == operation || name.starts_with((operation + ".").str());
  };
  auto unary = [&](Intrinsic::ID id) { return builder.CreateUnaryIntrinsic(id, operand(0)); };
  if (call.arg_size() == 0)
    return nullptr;
  if (is("f2tf32.rna") && name == "f2tf32.rna")
    return builder.CreateCall(
        module.getOrInsertFunction("cnnEmulatorTF32",
                                   FunctionType::get(i32, {builder.getFloatTy()}, false)),
        operand(0));
  if (name == "f2bf16.rn" || name == "f2f16.rn")
    return builder.CreateFPTrunc(operand(0), type);
  if (name == "ff2bf16x2.rn" || name == "ff2f16x2.rn") {
    // The first operand becomes the high half.
    Type *part = type->getScalarType();
    Value *pair = PoisonValue::get(type);
    pair = builder.CreateInsertElement(pair, builder.CreateFPTrunc(operand(1), part), uint64_t(0));
    return builder.CreateInsertElement(pair, builder.CreateFPTrunc(operand(0), part), uint64_t(1));
  }
  if (!type->isFPOrFPVectorTy())
    return nullptr;
  Value *one = ConstantFP::get(type, 1.0);
  if (is("fma.rn"))
    return builder.CreateIntrinsic(Intrinsic::fma, {type}, {operand(0), operand(1), operand(2)});
  if (is("sqrt.approx") || is("sqrt.rn") || name == "sqrt.f")
    return unary(Intrinsic::sqrt);
  if (is("rsqrt.approx"))
    return builder.CreateFDiv(one, unary(Intrinsic::sqrt));
  if (is("rcp.approx") || is("rcp.rn"))
    return builder.CreateFDiv(one, operand(0));
  if (is("div.approx") || is("div.full") || is("div.rn"))
    return builder.CreateFDiv(operand(0), operand(1));
  if (is("ex2.approx"))
    return unary(Intrinsic::exp2);
  if (is("lg2.approx"))
    return unary(Intrinsic::log2);
  if (is("tanh.approx"))
    return unary(Intrinsic::tanh);
  if (is("fabs"))
    return unary(Intrinsic::fabs);
  if (is("fmax") || is("fmin")) {
    bool nan = name.contains(".nan"), most = is("fmax");
    Intrinsic::ID id = nan ? (most ? Intrinsic::maximum : Intrinsic::minimum)
                           : (most ? Intrinsic::maxnum : Intrinsic::minnum);
    return builder.CreateBinaryIntrinsic(id, operand(0), operand(1));
  }
  return nullptr;
}

} // namespace cnn::emulator
