// Where a model's contract is written: its metadata and the files beside it. Reads them all and lets none contradict
// another.
#pragma once

#include "network/export_contract.hpp"

#include <rfseg/segmenter.hpp>

#include <string>
#include <vector>

namespace rfseg::network {

/// `metadata`: the ONNX file's own, "" where there is none. `outputs`: names in the file's order; empty for an engine.
/// @throws ModelError  as the parsers; a digest of another file; two sources that disagree
ExportContract read_contract(const std::string& model, const std::string& format, const std::string& metadata,
                             const std::vector<std::string>& outputs, const LogCallback& log);

}  // namespace rfseg::network
