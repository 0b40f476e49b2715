// Reads the ABI off the signatures of the planned module; the keys are those of
// runtime/core/Manifest.h.
#include "compiler/emit/Manifest.h"
#include "dialect/BufferPlace.h"
#include "dialect/Timing.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/abi/cnn_abi.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace cnn;
using mlir::cnn::ParamOp;

/// On a module of phase `nvvm`.
static constexpr llvm::StringLiteral deviceManifestAttr = "cnn.manifest";

static std::string elementName(mlir::Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

static void writeWork(llvm::json::OStream &json, mlir::DictionaryAttr work) {
  json.attributeObject("work", [&] {
    for (mlir::NamedAttribute each : work)
      if (auto text = llvm::dyn_cast<mlir::StringAttr>(each.getValue()))
        json.attribute(each.getName(), text.getValue());
      else
        json.attribute(each.getName(), llvm::cast<mlir::IntegerAttr>(each.getValue()).getInt());
  });
}

static void writeShape(llvm::json::OStream &json, llvm::ArrayRef<int64_t> shape) {
  json.attributeArray("shape", [&] {
    for (int64_t extent : shape)
      json.value(extent);
  });
}

static void writeParam(llvm::json::OStream &json, ParamOp param, int64_t offset) {
  auto type = llvm::cast<mlir::ShapedType>(param.getType());
  mlir::cnn::InitAttr init = param.getInit();
  json.object([&] {
    json.attribute("name", param.getSymName());
    json.attribute("kind", param.getKind());
    json.attribute("element", elementName(type.getElementType()));
    writeShape(json, type.getShape());
    json.attribute("offset", offset);
    json.attributeObject("init", [&] {
      json.attribute("kind", init.getKind());
      if (init.getFanIn())
        json.attribute("fan_in", init.getFanIn());
      if (init.getFanOut())
        json.attribute("fan_out", init.getFanOut());
      bool uniform = init.getKind() == "uniform", normal = init.getKind() == "normal";
      if (init.getValue())
        json.attribute(uniform  ? "low"
                       : normal ? "mean"
                                : "value",
                       init.getValue().getValueAsDouble());
      if (init.getSecond())
        json.attribute(uniform ? "high" : "std", init.getSecond().getValueAsDouble());
    });
  });
}

/// The tensor that argument `index` holds: what planning noted, since a buffer may be a row of
/// bytes.
static mlir::ShapedType tensorOf(mlir::func::FuncOp entry, unsigned index) {
  if (auto noted = entry.getArgAttrOfType<mlir::TypeAttr>(index, "cnn.type"))
    if (auto tensor = llvm::dyn_cast<mlir::ShapedType>(noted.getValue()))
      return tensor;
  return llvm::cast<mlir::ShapedType>(entry.getArgument(index).getType());
}

static llvm::Error writeBuffer(llvm::json::OStream &json, mlir::func::FuncOp entry,
                               unsigned index) {
  auto role = entry.getArgAttrOfType<mlir::StringAttr>(index, "cnn.role");
  auto name = entry.getArgAttrOfType<mlir::StringAttr>(index, "cnn.name");
  auto type = llvm::dyn_cast<mlir::MemRefType>(entry.getArgument(index).getType());
  if (!role || !type || !type.hasStaticShape())
    return llvm::createStringError("argument " + std::to_string(index) + " of entry point '" +
                                   entry.getName().str() +
                                   "' is no buffer with a static shape and a role");
  bool isTensor = role.getValue() == "input" || role.getValue() == "output";
  if (isTensor && !name)
    return llvm::createStringError("argument " + std::to_string(index) + " of entry point '" +
                                   entry.getName().str() + "' has no name");
  json.object([&] {
    json.attribute("role", role.getValue());
    if (isTensor) {
      json.attribute("name", name.getValue());
      mlir::ShapedType tensor = tensorOf(entry, index);
      json.attribute("element", elementName(tensor.getElementType()));
      writeShape(json, tensor.getShape());
    } else {
      json.attribute("bytes", type.getNumElements());
    }
  });
  return llvm::Error::success();
}

/// The launches of an entry point of phase `gpu`, in their order: what runs at the same time on a
/// CPU runs one after the other.
static llvm::Error writeLaunches(llvm::json::OStream &json, mlir::func::FuncOp entry,
                                 mlir::gpu::GPUModuleOp kernels) {
  auto fail = [&](llvm::StringRef why) {
    return llvm::createStringError("entry point '" + entry.getName().str() + "': " + why.str());
  };
  llvm::Error failure = llvm::Error::success();
  auto writeLaunch = [&](mlir::cnn::LaunchOp launch) -> llvm::Error {
    auto kernel = kernels.lookupSymbol<mlir::gpu::GPUFuncOp>(launch.getKernel());
    auto layer = launch->getAttrOfType<mlir::StringAttr>("cnn.layer");
    if (!kernel || !kernel.getKnownBlockSize() || !layer)
      return fail("the launch of '" + launch.getKernel().str() +
                  "' has no layer, or names no kernel with a block size");
    llvm::SmallVector<mlir::cnn::BufferPlace> places;
    for (mlir::Value buffer : launch.getBuffers()) {
      auto place = mlir::cnn::getBufferPlace(buffer);
      if (failed(place) || place->constant)
        return fail("an argument of '" + launch.getKernel().str() +
                    "' lies in none of its buffers");
      places.push_back(*place);
    }
    if (places.size() != kernel.getNumArguments())
      return fail("the launch of '" + launch.getKernel().str() + "' passes " +
                  std::to_string(places.size()) + " buffers; it takes " +
                  std::to_string(kernel.getNumArguments()));
    llvm::ArrayRef<int32_t> block = *kernel.getKnownBlockSize();
    json.object([&] {
      json.attribute("kernel", launch.getKernel());
      json.attribute("layer", layer.getValue());
      json.attributeArray("grid", [&] {
        for (int64_t extent : {static_cast<int64_t>(launch.getItems()), int64_t(1), int64_t(1)})
          json.value(extent);
      });
      json.attributeArray("block", [&] {
        for (int32_t extent : block)
          json.value(extent);
      });
      json.attribute("shared", 0);
      if (auto work = launch->getAttrOfType<mlir::DictionaryAttr>("cnn.work"))
        writeWork(json, work);
      json.attributeArray("arguments", [&] {
        for (const mlir::cnn::BufferPlace &place : places)
          json.object([&] {
            json.attribute("buffer", place.argument);
            json.attribute("offset", place.offset);
          });
      });
    });
    return llvm::Error::success();
  };
  json.attributeArray("launches", [&] {
    for (auto launch : entry.getOps<mlir::cnn::LaunchOp>())
      if (!failure)
        failure = writeLaunch(launch);
  });
  return failure;
}

/// The rows of one call, the element type and the size of the state follow from the entry points.
namespace {
struct Totals {
  int64_t batch = 0;
  int64_t stateBytes = 0, preparedBytes = 0;
  std::string element;
};
} // namespace

static Totals measure(llvm::ArrayRef<mlir::func::FuncOp> entries) {
  Totals totals;
  for (mlir::func::FuncOp entry : entries) {
    for (unsigned index = 0; index < entry.getNumArguments(); ++index) {
      auto role = entry.getArgAttrOfType<mlir::StringAttr>(index, "cnn.role");
      auto type = llvm::dyn_cast<mlir::MemRefType>(entry.getArgument(index).getType());
      if (!role || !type || !type.hasStaticShape())
        continue;
      if (role.getValue() == "state_in" || role.getValue() == "state_out")
        totals.stateBytes = std::max(totals.stateBytes, type.getNumElements());
      if (role.getValue() == "prepared")
        totals.preparedBytes = type.getNumElements();
      if (role.getValue() != "input" || !type.getRank())
        continue;
      if (!totals.batch)
        totals.batch = type.getDimSize(0);
      if (totals.element.empty() && llvm::isa<mlir::FloatType>(type.getElementType()))
        totals.element = elementName(type.getElementType());
    }
  }
  return totals;
}

/// What the counters of timed kernels are; see dialect/Timing.h.
static void writeTiming(llvm::json::OStream &json, mlir::ModuleOp module,
                        llvm::ArrayRef<mlir::func::FuncOp> kernels) {
  auto offset = module->getAttrOfType<mlir::IntegerAttr>(mlir::cnn::countersAttr);
  auto machine = module->getAttrOfType<mlir::DictionaryAttr>("cnn.machine");
  auto bits = machine ? machine.getAs<mlir::IntegerAttr>("vector_bits") : mlir::IntegerAttr();
  json.attributeObject("timing", [&] {
    json.attribute("counters", offset ? offset.getInt() : 0);
    json.attribute("vector_bits", bits ? bits.getInt() : 0);
    json.attributeArray("kernels", [&] {
      for (mlir::func::FuncOp kernel : kernels) {
        auto timed = kernel->getAttrOfType<mlir::DictionaryAttr>(mlir::cnn::timedAttr);
        auto text = [&](llvm::StringRef key) {
          auto value = timed.getAs<mlir::StringAttr>(key);
          json.attribute(key, value ? value.getValue() : "");
        };
        auto tile = timed.getAs<mlir::DenseI64ArrayAttr>("tile");
        auto vector = timed.getAs<mlir::IntegerAttr>("vector");
        auto flops = timed.getAs<mlir::IntegerAttr>("flops");
        auto cycles = timed.getAs<mlir::FloatAttr>("cycles");
        json.object([&] {
          json.attribute("name", kernel.getName());
          text("group");
          text("algorithm");
          json.attributeArray("tile", [&] {
            if (tile)
              for (int64_t extent : tile.asArrayRef())
                json.value(extent);
          });
          json.attribute("vector", vector ? vector.getInt() : 0);
          json.attribute("flops", flops ? flops.getInt() : 0);
          json.attribute("cycles", cycles ? cycles.getValueAsDouble() : 0);
          json.attribute("outer", timed.contains("outer"));
        });
      }
    });
  });
}

llvm::Expected<std::string> cnn::buildManifest(mlir::ModuleOp module) {
  if (!module.getSymName())
    return llvm::createStringError("the module has no name; a manifest needs the net's");
  std::string net = module.getSymName()->str();
  llvm::SmallVector<mlir::func::FuncOp> entries;
  for (auto function : module.getOps<mlir::func::FuncOp>())
    if (function.isPublic() && !function.isExternal())
      entries.push_back(function);
  if (entries.empty())
    return llvm::createStringError("net '" + net + "' has no entry point");
  Totals totals = measure(entries);
  auto cpu = module->getAttrOfType<mlir::StringAttr>("cnn.cpu");
  auto device = llvm::to_vector(module.getOps<mlir::gpu::GPUModuleOp>());
  llvm::Error failure = llvm::Error::success();
  std::string text;
  llvm::raw_string_ostream out(text);
  llvm::json::OStream json(out);
  json.object([&] {
    json.attribute("abi", CNN_ABI_VERSION);
    json.attribute("net", net);
    json.attribute("batch", std::max<int64_t>(totals.batch, 1));
    json.attribute("element", totals.element.empty() ? "f32" : totals.element);
    if (!device.empty())
      json.attribute("target", "nvptx");
    json.attribute(device.empty() ? "cpu" : "arch", cpu ? cpu.getValue() : "");
    json.attribute("state_bytes", totals.stateBytes);
    json.attribute("prepared_bytes", totals.preparedBytes);
    json.attributeArray("state", [&] {
      for (auto param : module.getOps<ParamOp>()) {
        auto offset = param->getAttrOfType<mlir::IntegerAttr>("cnn.offset");
        if (param.getKind() == "prepared")
          continue;
        if (offset)
          writeParam(json, param, offset.getInt());
        else if (!failure)
          failure = llvm::createStringError("parameter '" + param.getSymName().str() +
                                            "' has no place in the state");
      }
    });
    json.attributeArray("entries", [&] {
      for (mlir::func::FuncOp entry : entries) {
        auto flops = entry->getAttrOfType<mlir::IntegerAttr>(mlir::cnn::flopsAttr);
        json.object([&] {
          json.attribute("name", entry.getName());
          if (device.empty())
            json.attribute("symbol", net + "_" + entry.getName().str());
          json.attribute("flops", flops ? flops.getInt() : 0);
          if (auto bytes = entry->getAttrOfType<mlir::IntegerAttr>(mlir::cnn::fusedBytesAttr))
            json.attribute("fused_bytes", bytes.getInt());
          json.attributeArray("buffers", [&] {
            for (unsigned index = 0; index < entry.getNumArguments() && !failure; ++index)
              failure = writeBuffer(json, entry, index);
          });
          if (!device.empty() && !failure)
            failure = writeLaunches(json, entry, device.front());
        });
      }
    });
    if (auto kernels = mlir::cnn::getTimedKernels(module); !kernels.empty())
      writeTiming(json, module, kernels);
  });
  if (failure)
    return failure;
  return text;
}

void cnn::embedManifest(mlir::ModuleOp module, const std::string &manifest) {
  mlir::OpBuilder builder = mlir::OpBuilder::atBlockEnd(module.getBody());
  if (!module.getOps<mlir::gpu::GPUModuleOp>().empty()) {
    module->setAttr(deviceManifestAttr, builder.getStringAttr(manifest));
    return;
  }
  std::string content = manifest + '\0';
  auto type = mlir::LLVM::LLVMArrayType::get(builder.getI8Type(), content.size());
  mlir::LLVM::GlobalOp::create(
      builder, module.getLoc(), type, /*isConstant=*/true, mlir::LLVM::Linkage::External,
      module.getSymName()->str() + "_manifest", builder.getStringAttr(content));
}

llvm::Expected<std::string> cnn::findManifest(mlir::ModuleOp module) {
  if (auto text = module->getAttrOfType<mlir::StringAttr>(deviceManifestAttr))
    return text.getValue().str();
  if (module.getSymName())
    if (auto global =
            module.lookupSymbol<mlir::LLVM::GlobalOp>(module.getSymName()->str() + "_manifest"))
      if (auto text = llvm::dyn_cast_or_null<mlir::StringAttr>(global.getValueOrNull()))
        return text.getValue().drop_back().str();
  return llvm::createStringError("the module carries no manifest");
}
