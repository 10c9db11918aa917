#include "binding/arrays.hpp"

#include <rfseg/error.hpp>

#include <string>

namespace py = pybind11;

namespace rfseg::binding {

py::tuple columns_from(Result&& result) {
  const py::ssize_t count = result.size();
  py::dict speed;
  speed["preprocess"] = result.speed.preprocess_ms;
  speed["network"] = result.speed.network_ms;
  speed["postprocess"] = result.speed.postprocess_ms;
  speed["outlines"] = result.speed.outlines_ms;
  return py::make_tuple(array_from<float>(std::move(result.xyxy), {count, 4}),
                        array_from<float>(std::move(result.confidence), {count}),
                        array_from<std::int32_t>(std::move(result.class_id), {count}), std::move(result.masks),
                        py::make_tuple(result.image_size.height, result.image_size.width), std::move(speed));
}

OutlineMode outline_mode(const std::string& mode) {
  if (mode == "external") return OutlineMode::external;
  if (mode == "tree") return OutlineMode::tree;
  if (mode == "largest") return OutlineMode::largest;
  if (mode == "edge") return OutlineMode::edge;
  throw InputError("mode is '" + mode +
                   "': it must be \"external\", \"tree\" or \"largest\", through pixels, or \"edge\"");
}

}  // namespace rfseg::binding
