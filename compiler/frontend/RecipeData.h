// `data = set -> stage -> …` of a recipe: checked against the tables of runtime/schema, into a
// DataPipeline that the runtime opens.
#ifndef CNNC_COMPILER_FRONTEND_RECIPEDATA_H
#define CNNC_COMPILER_FRONTEND_RECIPEDATA_H

#include "compiler/frontend/Elaborate.h"
#include "runtime/schema/DataSchema.h"

namespace cnn {

/// A recipe's data: the pipeline, and what is known of the images and classes that come out of it.
struct RecipeData {
  DataPipeline pipeline;
  DataView view;
  llvm::SMRange range;
};

/// Reads `expr` with the overrides `train.data.STAGE.ARGUMENT` (or `train.data.SET.ARGUMENT`) among
/// `sets`. Reports unknown names, wrong types, values out of range, and stages that cannot take
/// what comes to them; nothing when there were errors.
std::optional<RecipeData> readRecipeData(const ast::Expr *expr, llvm::ArrayRef<SetArgument> sets,
                                         Elaboration &elaboration, Diagnostics &diagnostics);

/// Whether the override belongs to readRecipeData: `train.data.NAME.ARGUMENT`.
bool isDataOverride(const SetArgument &set);

} // namespace cnn

#endif // CNNC_COMPILER_FRONTEND_RECIPEDATA_H
