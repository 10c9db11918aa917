#include "pipeline/opening/set_up.hpp"

#include "host/processors.hpp"
#include "network/onnx/runtime.hpp"
#include "pipeline/cpu/cpu_pipeline.hpp"
#include "pipeline/gpu/gpu_pipeline.hpp"
#include "pipeline/opening/settings.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace rfseg::pipeline {

namespace {

constexpr int kCpuSlots = 2;  // one in the network, one being prepared or read: a third waits for nothing
constexpr int kGpuSlots = 6;
constexpr int kMostCrew = 8;  // beyond it a copy's bandwidth no longer grows (tests/bench/NOTES.md)

void say(const Options& options, LogLevel level, const std::string& sentence) {
  if (options.log) options.log(level, sentence);
}

std::string precision(network::ElementType type) {
  return type == network::ElementType::float16 ? "float16" : "float32";
}

void describe(Info& info, const network::ModelContract& contract) {
  info.precision = precision(contract.masks_type);
  info.input_precision = precision(contract.input_type);
  info.network_size = contract.network_size;
  info.mask_size = contract.mask_size;
  info.queries = contract.queries;
  info.columns = contract.columns;
}

/// Class names and the selection they and the thresholds lead to.
PipelineSettings settings_for(const network::ModelContract& contract, const Options& options,
                              const std::string& metadata, const Info& info) {
  const network::ClassLayout layout = resolve_classes(contract, options, metadata, info.model);
  if (layout.names.empty())
    say(options, LogLevel::warning,
        info.model + " names no classes: every column is kept and called by its number; pass names=");
  return {selection_rule(layout, options),
          options.resize,
          options.outlines,
          std::make_shared<const ClassNames>(layout.names),
          info.slots,
          info.stages};
}

ReadyPipeline set_up_cpu(Info info, const Options& options) {
  info.device = "cpu";
  info.backend = "onnxruntime";
  info.threads = options.threads > 0 ? options.threads : host::physical_cores();
  info.slots = options.slots > 0 ? options.slots : kCpuSlots;
  auto network = std::make_unique<network::OnnxNetwork>(info.model, options.onnxruntime, info.threads, options.log);
  info.library_version = network->library_version();
  info.library_path = network->library_path();
  describe(info, network->contract());
  if (options.device == "auto")
    say(options, LogLevel::info,
        "device auto: cpu, because " + info.model + " is an ONNX file (ONNX Runtime " + info.library_version + ", " +
            std::to_string(info.threads) + " threads)");
  PipelineSettings settings = settings_for(network->contract(), options, network->metadata("names"), info);
  auto names = settings.names;
  auto rule = settings.rule;
  return {std::move(info), std::move(names), std::move(rule),
          std::make_unique<CpuPipeline>(std::move(network), std::move(settings))};
}

ReadyPipeline set_up_gpu(Info info, int ordinal, const Options& options) {
  network::check_engine_file(info.model);
  auto device = std::make_shared<const cuda::Device>(cuda::open_driver(), ordinal);
  info.device = "cuda:" + std::to_string(ordinal);
  info.backend = "tensorrt";
  info.gpu = device->info().text();
  info.gpu_ordinal = ordinal;
  info.stages = options.stages;
  info.slots = options.slots > 0 ? options.slots : kGpuSlots;
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  info.threads = options.threads > 0 ? options.threads : std::clamp(cores / 2, 1, kMostCrew);
  network::TensorRtEngine engine(info.model, device,
                                 {options.tensorrt, options.library_folders, options.allow_engine_code, options.log});
  info.library_version = engine.library_version();
  info.library_path = engine.library_path();
  describe(info, engine.contract());
  if (options.device == "auto")
    say(options, LogLevel::info,
        "device auto: " + info.device + ", because " + info.model + " is a TensorRT engine (TensorRT " +
            info.library_version + " on " + info.gpu + ")");
  PipelineSettings settings = settings_for(engine.contract(), options, "", info);
  auto names = settings.names;
  auto rule = settings.rule;
  auto model = std::make_unique<const GpuModel>(std::move(device), std::move(engine), std::move(settings));
  const int crew = info.threads;
  return {std::move(info), std::move(names), std::move(rule), std::make_unique<GpuPipeline>(std::move(model), crew)};
}

/// Networks speak from threads of their own, several at once.
LogCallback one_at_a_time(const LogCallback& log) {
  if (!log) return log;
  return [log, speaking = std::make_shared<std::recursive_mutex>()](LogLevel level, const std::string& sentence) {
    const std::lock_guard<std::recursive_mutex> turn(*speaking);
    log(level, sentence);
  };
}

}  // namespace

ReadyPipeline set_up(const std::string& model, const Options& given) {
  Options options = given;
  options.log = one_at_a_time(given.log);
  check_options(options);
  Info info;
  info.model = model;
  const std::optional<int> gpu = choose_gpu(model, options);
  return gpu ? set_up_gpu(std::move(info), *gpu, options) : set_up_cpu(std::move(info), options);
}

}  // namespace rfseg::pipeline
