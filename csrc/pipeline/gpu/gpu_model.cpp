// Uploads the tables of a model and settles its batch sizes. Computes no number: raster/ has them.
#include "pipeline/gpu/gpu_model.hpp"

#include "raster/resize/resize.hpp"

#include <rfseg/error.hpp>

#include <kernel_abi.hpp>

#include <algorithm>
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

network::ModelContract checked(network::ModelContract contract) {
  if (contract.queries > kernel_abi::kMaxQueries)
    throw BackendError("the network has " + std::to_string(contract.queries) +
                       " queries: the GPU stages take at most " + std::to_string(kernel_abi::kMaxQueries) +
                       "; use stages host");
  return contract;
}

/// Powers of two and the greatest: a graph for each, few to capture, none twice as large as what is there.
std::vector<int> sizes_of(network::BatchRange range, int most) {
  std::vector<int> sizes;
  for (int size = 1; size < most; size *= 2)
    if (size >= range.least) sizes.push_back(size);
  sizes.push_back(most);
  return sizes;
}

}  // namespace

GpuModel::GpuModel(cuda::SharedDevice on, network::TensorRtEngine loaded, PipelineSettings asked)
    : device(std::move(on)),
      engine(std::move(loaded)),
      contract(checked(engine.contract())),
      bytes(engine.bytes()),
      settings(std::move(asked)),
      kernels(device),
      most_slots(std::min(contract.queries, settings.max_detections)),
      batch_sizes(sizes_of(engine.batch(), settings.max_batch)),
      normalised(upload(device, raster::normalised_bytes(settings.normalisation), "normalised bytes")) {}

int GpuModel::batch_size_for(int images) const {
  const auto above = std::upper_bound(batch_sizes.begin(), batch_sizes.end(), images);
  return above == batch_sizes.begin() ? *above : *std::prev(above);
}

}  // namespace rfseg::pipeline
