// What a Segmenter looks at before it takes an engine: the file beside it, and the network's first answer.
#include "pipeline/gpu_stand.hpp"

#include <rfseg/error.hpp>

#include <cstdlib>
#include <limits>

using namespace rfseg;
using stand_in::contains;
using stand_in::Frame;
using stand_in::GpuStand;
using stand_in::NetworkShape;
using stand_in::thrown;

namespace {

/// The stand's engine, as a program without options of its own opens it.
Segmenter opened(const GpuStand& stand, Stages stages = Stages::device) {
  const struct Driver {
    Driver() { setenv("RFSEG_LIBCUDA", RFSEG_STAND_IN_CUDA, 1); }
    ~Driver() { unsetenv("RFSEG_LIBCUDA"); }
  } driver;
  Options options;
  options.tensorrt = RFSEG_STAND_IN_TENSORRT;
  options.stages = stages;
  options.threads = 1;
  return Segmenter((stand.folder.path / "model.engine").string(), options);
}

}  // namespace

TEST_CASE("gpu opening: the file beside an engine decides names, resize and normalisation") {
  GpuStand stand;
  stand.folder.write("model.engine.json", R"({"schema_version": 1, "engine_size": 6, "network_size": [16, 24],
    "resize": "bilinear", "mean": [0.5, 0.25, 0.125], "std": [1, 2, 4], "precision": "float16", "places": 6,
    "names": {"0": "cat", "1": "dog", "2": "cow", "4": "ant"}, "compute_capability": "9.0"})");
  stand.settings.resize = Resize::bilinear;
  const Segmenter segmenter = opened(stand);
  CHECK(segmenter.names() == ClassNames{{0, "cat"}, {1, "dog"}, {2, "cow"}, {4, "ant"}});
  const Info& info = segmenter.info();
  CHECK(info.resize == Resize::bilinear);
  CHECK(info.normalisation.mean == std::array<float, 3>{0.5F, 0.25F, 0.125F});
  CHECK(info.normalisation.deviation == std::array<float, 3>{1, 2, 4});
  CHECK(info.precision == "float16");
  CHECK(info.places == 6);
  stand.folder.write("model.engine.json", R"({"schema_version": 1, "network_size": [16, 32]})");
  CHECK(contains(thrown<ModelError>([&] { opened(stand); }), "states an input of 16x32"));
  stand.folder.write("model.engine.json", R"({"schema_version": 1, "compute_capability": "8.9"})");
  CHECK(contains(thrown<BackendError>([&] { opened(stand); }), "was built for compute capability 8.9"));
}

TEST_CASE("gpu opening: answers that are no numbers are refused, at the price of one execution") {
  for (const bool half : {false, true}) {
    for (const Stages stages : {Stages::device, Stages::host}) {
      CAPTURE(half);
      NetworkShape shape;
      shape.half = half;
      GpuStand stand(shape);
      opened(stand, stages);
      const int runs = stand.network_runs;
      stand.adjust = [](NetworkTensors& tensors) { tensors.masks.back() = std::numeric_limits<float>::quiet_NaN(); };
      CHECK(contains(thrown<ModelError>([&] { opened(stand, stages); }),
                     "model.engine answers a test image with NaN or infinity in 'masks': its weights are damaged, or "
                     "too large for float16: export or build it again"));
      CHECK(stand.network_runs == runs + 1);
      stand.adjust = [](NetworkTensors& tensors) { tensors.labels[0] = std::numeric_limits<float>::infinity(); };
      CHECK(contains(thrown<ModelError>([&] { opened(stand, stages); }), "infinity in 'labels'"));
      stand.adjust = [](NetworkTensors& tensors) { tensors.dets[0] = -std::numeric_limits<float>::infinity(); };
      CHECK(contains(thrown<ModelError>([&] { opened(stand, stages); }), "infinity in 'dets'"));
    }
  }
}
