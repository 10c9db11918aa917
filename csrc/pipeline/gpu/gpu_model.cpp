// Uploads the tables of a model. Computes nothing: raster/ has the numbers.
#include "pipeline/gpu/gpu_model.hpp"

#include "raster/resize/resize.hpp"

#include <rfseg/error.hpp>

#include <kernel_abi.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace rfseg::pipeline {

namespace {

cuda::DeviceBuffer upload(const cuda::SharedDevice& device, const std::vector<float>& values, const std::string& name) {
  const cuda::CurrentDevice current(*device);
  const cuda::Stream stream(device, "upload of " + name);
  return cuda::upload(stream, values.data(), values.size() * sizeof(float), name);
}

float least_of(const std::vector<float>& cuts) {
  float least = std::numeric_limits<float>::quiet_NaN();
  for (const float cut : cuts)
    if (!(cut >= least)) least = std::isnan(cut) ? least : cut;  // true while `least` is NaN
  return least;
}

network::ModelContract checked(network::ModelContract contract, Stages stages) {
  if (stages == Stages::device && contract.queries > kernel_abi::kMaxQueries)
    throw BackendError("the network has " + std::to_string(contract.queries) +
                       " queries: the GPU stages take at most " + std::to_string(kernel_abi::kMaxQueries) +
                       "; use stages host");
  return contract;
}

}  // namespace

GpuModel::GpuModel(cuda::SharedDevice on, network::TensorRtEngine loaded, PipelineSettings asked)
    : device(std::move(on)),
      engine(std::move(loaded)),
      contract(checked(engine.contract(), asked.stages)),
      bytes(engine.bytes()),
      settings(std::move(asked)),
      kernels(device),
      most_slots(std::min(contract.queries, settings.rule.max_detections)),
      least_cut(least_of(settings.rule.logit_cut)),
      logit_cut(upload(device, settings.rule.logit_cut, "logit cuts")),
      normalised(upload(device, raster::normalised_bytes(settings.normalisation), "normalised bytes")) {}

}  // namespace rfseg::pipeline
