//===- CnnStructureOps.cpp - State, groups, buffers ------------------------------------------===//

#include "dialect/CnnDialect.h"
#include "dialect/Loss.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::cnn;

//===--------------------------------------------------------------------------------------------===//
// Naming: values in dumps are called after parameters and layers
//===--------------------------------------------------------------------------------------------===//

void ReadOp::getAsmResultNames(OpAsmSetValueNameFn setName) { setName(getResult(), getParam()); }

void GroupOp::getAsmResultNames(OpAsmSetValueNameFn setName) {
  if (getNumResults() > 0)
    setName(getResult(0), getName());
}

//===--------------------------------------------------------------------------------------------===//
// State
//===--------------------------------------------------------------------------------------------===//

LogicalResult ParamOp::verify() {
  if (!llvm::is_contained({"parameter", "optimizer", "running", "prepared"}, getKind()))
    return emitOpError() << "kind is '" << getKind()
                         << "', expected parameter, optimizer, running or prepared (C1)";
  auto type = cast<RankedTensorType>(getType());
  if (!type.hasStaticShape() || !isa<FloatType>(type.getElementType()))
    return emitOpError() << "type " << type << " must have a static shape and float elements (C2)";
  return success();
}

static LogicalResult verifyStateUse(Operation *op, FlatSymbolRefAttr symbol, Type type,
                                    SymbolTableCollection &tables) {
  auto param = tables.lookupNearestSymbolFrom<ParamOp>(op, symbol);
  if (!param)
    return op->emitOpError() << "'" << symbol.getValue() << "' is no cnn.param (C1)";
  if (!haveSameShapes(param.getType(), type)) {
    auto error = op->emitOpError() << "type " << type << " differs from the parameter's (C2)";
    error.attachNote(param.getLoc()) << "'" << symbol.getValue() << "' is " << param.getType();
    return error;
  }
  return success();
}

LogicalResult ReadOp::verifySymbolUses(SymbolTableCollection &tables) {
  return verifyStateUse(*this, getParamAttr(), getType(), tables);
}

LogicalResult WriteOp::verifySymbolUses(SymbolTableCollection &tables) {
  return verifyStateUse(*this, getParamAttr(), getValue().getType(), tables);
}

LogicalResult RecipeOp::verify() {
  const LossDef *loss = findLoss(getLoss());
  if (!loss) {
    auto names = llvm::map_range(getLosses(), [](const LossDef &known) { return known.name; });
    return emitOpError() << "loss is '" << getLoss() << "', expected one of "
                         << llvm::join(names, ", ") << " (C1)";
  }
  for (NamedAttribute arg : getLossArgs().value_or(DictionaryAttr::get(getContext()))) {
    bool known =
        llvm::any_of(loss->args, [&](const LayerArg &a) { return a.name == arg.getName(); });
    if (!known || !isa<FloatAttr>(arg.getValue()))
      return emitOpError() << "loss '" << getLoss() << "' has no hyperparameter '"
                           << arg.getName().getValue() << "' of value " << arg.getValue()
                           << " (C1)";
  }
  const OptimizerDef *optimizer = findOptimizer(getOptimizer());
  if (!optimizer) {
    SmallVector<StringRef> names;
    for (const OptimizerDef &known : getOptimizers())
      names.push_back(known.name);
    return emitOpError() << "optimizer is '" << getOptimizer() << "', expected one of "
                         << llvm::join(names, ", ") << " (C2)";
  }
  for (NamedAttribute attr : (*this)->getDiscardableAttrs())
    if (!llvm::is_contained(optimizer->flags, attr.getName().strref()) ||
        !isa<BoolAttr>(attr.getValue()))
      return emitOpError() << "attribute '" << attr.getName().strref() << " = " << attr.getValue()
                           << "' is no flag of optimizer '" << getOptimizer() << "' (C2)";
  return success();
}

SmallVector<StringRef> RecipeOp::getFlags() {
  SmallVector<StringRef> flags;
  for (StringRef flag : findOptimizer(getOptimizer())->flags)
    if (auto attr = (*this)->getAttrOfType<BoolAttr>(flag); attr && attr.getValue())
      flags.push_back(flag);
  return flags;
}

//===--------------------------------------------------------------------------------------------===//
// Groups
//===--------------------------------------------------------------------------------------------===//

bool GroupOp::isOuter() { return llvm::any_of(getBody().front(), llvm::IsaPred<GroupOp>); }

YieldOp GroupOp::getYield() { return cast<YieldOp>(getBody().front().getTerminator()); }

void GroupOp::adoptTypes() {
  for (auto [input, argument] : llvm::zip(getInputs(), getBody().getArguments()))
    argument.setType(input.getType());
  for (auto [value, result] : llvm::zip(getYield().getValues(), getResults()))
    value.setType(result.getType());
}

void GroupOp::addReason(const Twine &text) {
  setReason((getReason() ? *getReason() + "; " + text : text).str());
}

NestScheduleAttr GroupOp::getNestSchedule() {
  return dyn_cast_or_null<NestScheduleAttr>(getScheduleAttr());
}

GpuScheduleAttr GroupOp::getGpuSchedule() {
  return dyn_cast_or_null<GpuScheduleAttr>(getScheduleAttr());
}

SliceScheduleAttr GroupOp::getSliceSchedule() {
  return dyn_cast_or_null<SliceScheduleAttr>(getScheduleAttr());
}

// cnn.group "name" (%a = %x, ...) : (types) -> (types) [schedule attr] [because "..."] { ... }
ParseResult GroupOp::parse(OpAsmParser &parser, OperationState &result) {
  std::string name;
  if (parser.parseString(&name))
    return failure();
  Builder &builder = parser.getBuilder();
  result.addAttribute("name", builder.getStringAttr(name));

  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  auto parseInput = [&]() -> ParseResult {
    return failure(parser.parseArgument(arguments.emplace_back()) || parser.parseEqual() ||
                   parser.parseOperand(operands.emplace_back()));
  };
  FunctionType type;
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseInput) ||
      parser.parseColonType(type))
    return failure();
  if (type.getNumInputs() != operands.size())
    return parser.emitError(parser.getNameLoc())
           << "group has " << operands.size() << " inputs and " << type.getNumInputs()
           << " input types";
  for (auto [argument, input] : llvm::zip(arguments, type.getInputs()))
    argument.type = input;

  if (succeeded(parser.parseOptionalKeyword("schedule"))) {
    Attribute schedule;
    if (parser.parseAttribute(schedule))
      return failure();
    result.addAttribute("schedule", schedule);
  }
  if (succeeded(parser.parseOptionalKeyword("because"))) {
    std::string reason;
    if (parser.parseString(&reason))
      return failure();
    result.addAttribute("reason", builder.getStringAttr(reason));
  }
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseRegion(*result.addRegion(), arguments) ||
      parser.resolveOperands(operands, type.getInputs(), parser.getNameLoc(), result.operands))
    return failure();
  result.addTypes(type.getResults());
  return success();
}

void GroupOp::print(OpAsmPrinter &printer) {
  printer << " ";
  printer.printAttributeWithoutType(getNameAttr());
  printer << " (";
  llvm::interleaveComma(llvm::zip(getBody().getArguments(), getInputs()), printer, [&](auto pair) {
    printer.printRegionArgument(std::get<0>(pair), {}, /*omitType=*/true);
    printer << " = " << std::get<1>(pair);
  });
  printer << ") : ";
  printer.printFunctionalType(getInputs().getTypes(), getResultTypes());
  if (Attribute schedule = getScheduleAttr())
    printer << " schedule " << schedule;
  if (StringAttr reason = getReasonAttr()) {
    printer << " because ";
    printer.printAttributeWithoutType(reason);
  }
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {"name", "schedule", "reason"});
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult GroupOp::verify() {
  Block &block = getBody().front();
  if (block.getArgumentTypes() != getInputs().getTypes())
    return emitOpError() << "region arguments must have the inputs' types, in order (C1)";
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield)
    return emitOpError() << "must end with cnn.yield (C2)";
  if (yield.getValues().getTypes() != getResultTypes())
    return emitOpError() << "yields values of types " << yield.getValues().getTypes()
                         << ", expected " << getResultTypes() << " (C2)";
  if (Attribute schedule = getScheduleAttr()) {
    if (isOuter() != isa<SliceScheduleAttr>(schedule) ||
        !isa<SliceScheduleAttr, NestScheduleAttr, GpuScheduleAttr>(schedule))
      return emitOpError() << "schedule is " << schedule << ", expected "
                           << (isOuter() ? "#cnn.slices" : "#cnn.nest or #cnn.gpu_schedule")
                           << " (C3)";
  }
  return success();
}
