// What a model's file, and the files beside it, decide where the caller does not: class names, the resize, what pixels
// are normalised by. The order: an explicit option, the file, a file beside it, a default that is said.
#pragma once

#include "network/class_names.hpp"
#include "network/export_contract.hpp"
#include "pipeline/pipeline.hpp"

#include <rfseg/segmenter.hpp>

#include <string>

namespace rfseg::pipeline {

/// All that a file says about its classes.
struct NamesInFile {
  const network::ExportContract& contract;
  std::string metadata;  ///< of the key `names`, "" when there is none
  std::string notes;     ///< of the key `rfdetr_notes`
};

/// Says through options.log what names look shifted, and that there are none.
/// @throws InputError, ModelError  names that do not fit, or two sources in the file that disagree
network::ClassLayout resolve_classes(int columns, const Options& options, const NamesInFile& file,
                                     const std::string& model);

/// Says through options.log that nobody states a resize.
Resize resolve_resize(const Options& options, const network::ExportContract& contract, const std::string& model);

Normalisation normalisation_of(const network::ExportContract& contract);

/// Says through options.log which of them do nothing on a CPU.
void say_idle_options(const Options& options);

}  // namespace rfseg::pipeline
