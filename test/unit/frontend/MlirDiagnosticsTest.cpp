// What a verifier or a pass reports at an operation points into the .cnn file it came from.
#include "compiler/frontend/MlirDiagnostics.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>

namespace {

struct MlirDiagnosticsTest : testing::Test {
  std::string text;
  llvm::raw_string_ostream out{text};
  cnn::Diagnostics diagnostics{&out};
  mlir::MLIRContext context;
  mlir::Builder builder{&context};

  mlir::Location layer(llvm::StringRef name, unsigned line, unsigned column) {
    return mlir::NameLoc::get(builder.getStringAttr(name),
                              mlir::FileLineColLoc::get(&context, "a.cnn", line, column));
  }
  void SetUp() override { diagnostics.addText("a.cnn", "net n(x: [1]) {\n  x -> conv(3)\n}\n"); }
};

TEST_F(MlirDiagnosticsTest, ShowsTheLineAndTheLayer) {
  cnn::MlirDiagnostics handler(&context, diagnostics);
  {
    mlir::InFlightDiagnostic error = mlir::emitError(layer("conv1", 2, 8), "kernel is wrong");
    error.attachNote(layer("n", 1, 5)) << "in this net";
  }
  EXPECT_EQ(text, "a.cnn:2:8: error: in 'conv1': kernel is wrong\n"
                  "  x -> conv(3)\n"
                  "       ^~~~\n"
                  "a.cnn:1:5: note: in 'n': in this net\n");
}

TEST_F(MlirDiagnosticsTest, LooksThroughFusedLocations) {
  cnn::MlirDiagnostics handler(&context, diagnostics);
  mlir::emitError(builder.getFusedLoc({layer("conv1", 2, 8), layer("relu1", 2, 3)}), "wrong");
  EXPECT_EQ(text.substr(0, text.find('\n')), "a.cnn:2:8: error: in 'conv1': wrong");
}

TEST_F(MlirDiagnosticsTest, NamesFilesThatWereNotRead) {
  cnn::MlirDiagnostics handler(&context, diagnostics);
  mlir::emitError(mlir::FileLineColLoc::get(&context, "dump.mlir", 3, 4), "wrong");
  EXPECT_EQ(text, "error: dump.mlir:3:4: wrong\n");
}

TEST_F(MlirDiagnosticsTest, PrintsRemarksWhenAsked) {
  cnn::MlirDiagnostics handler(&context, diagnostics, &out);
  mlir::emitRemark(layer("conv1", 2, 8), "fused with relu1");
  EXPECT_EQ(text, "a.cnn:2:8: remark: in 'conv1': fused with relu1\n");
  EXPECT_FALSE(diagnostics.hasErrors());
}

} // namespace
