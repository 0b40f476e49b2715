// Decisions are a discardable attribute: passes that know nothing of them keep or drop it.

#include "compiler/transforms/Decision.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace mlir::cnn;

static constexpr llvm::StringLiteral decisionAttribute = "cnn.because";

static void add(Operation *op, const std::string &text) {
  std::string all = text;
  if (auto before = op->getAttrOfType<StringAttr>(decisionAttribute))
    all = before.str() + "; " + text;
  op->setAttr(decisionAttribute, StringAttr::get(op->getContext(), all));
}

void mlir::cnn::noteDecision(Operation *op, StringRef flag, StringRef name, bool missed,
                             const std::string &text) {
  auto options = remark::RemarkOpts::name(name).category(flag);
  if (missed)
    remark::missed(op->getLoc(), options) << text;
  else
    remark::passed(op->getLoc(), options) << text;
  add(op, text);
}

void mlir::cnn::moveDecisions(Operation *from, Operation *to) {
  if (std::string text = takeDecisions(from); !text.empty())
    add(to, text);
}

std::string mlir::cnn::takeDecisions(Operation *op) {
  auto text = dyn_cast_or_null<StringAttr>(op->removeAttr(decisionAttribute));
  return text ? text.str() : "";
}
