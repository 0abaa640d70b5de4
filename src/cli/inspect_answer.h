// The frame of every answer of `longtail inspect`, as text and as JSON: first the checkpoint or the
// statistics file, then each table.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "absl/functional/function_ref.h"
#include "cli/checkpoint_source.h"
#include "cli/inspect.h"
#include "cli/statistics_source.h"
#include "longtail/table_spec.h"

namespace longtail::cli {

/// The whole output: the checkpoint, then what the functions give for each selected table.
std::string AnswerOf(const CheckpointSource& source, OutputForm form,
                     absl::FunctionRef<std::string(std::size_t place)> text_of,
                     absl::FunctionRef<nlohmann::json(std::size_t place)> json_of);

/// The same of a statistics file.
std::string AnswerOf(const StatisticsSource& source, OutputForm form,
                     absl::FunctionRef<std::string(std::size_t place)> text_of,
                     absl::FunctionRef<nlohmann::json(std::size_t place)> json_of);

/// The checkpoint in three lines: where it is; its step and time; what it consists of.
std::string CheckpointText(const CheckpointSource& source);

/// The same for programs.
nlohmann::json CheckpointJson(const CheckpointSource& source);

/// The optimizer's rule and every number of it that is not 0: "adagrad, learning_rate 0.05".
std::string OptimizerText(const TableSpec& spec);

/// The nearest double that prints with as few digits as give the same float again; null if the
/// float is not finite, which JSON cannot say.
nlohmann::json FloatJson(float value);

/// part / whole; 0 of nothing.
double ShareOf(std::uint64_t part, std::uint64_t whole);

/// One line, whatever text the document holds.
std::string LineOf(const nlohmann::json& document);

}  // namespace longtail::cli
