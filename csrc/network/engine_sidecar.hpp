// `model.engine.json`, which rfseg writes beside an engine that it built.
#pragma once

#include "network/export_contract.hpp"

#include <string>

namespace rfseg::network {

/// Keys that are not known are left alone, so that a later rfseg may add some. `model`: the engine, whose size must be
/// the stated one; its digest would cost more than loading it.
/// @throws ModelError  another schema, a wrong type, or the description of another build
ExportContract parse_engine_sidecar(const Value& object, const std::string& source, const std::string& model);

}  // namespace rfseg::network
