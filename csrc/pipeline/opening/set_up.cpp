#include "pipeline/opening/set_up.hpp"

#include "host/processors.hpp"
#include "network/contract_files.hpp"
#include "network/onnx/runtime.hpp"
#include "pipeline/cpu/cpu_pipeline.hpp"
#include "pipeline/gpu/gpu_pipeline.hpp"
#include "pipeline/opening/settings.hpp"
#include "pipeline/opening/stated_by_file.hpp"

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

void describe(Info& info, const network::ModelContract& contract, const std::string& weights) {
  info.precision = weights.empty() ? precision(contract.masks_type) : weights;
  info.input_precision = precision(contract.input_type);
  info.network_size = contract.network_size;
  info.mask_size = contract.mask_size;
  info.queries = contract.queries;
  info.columns = contract.columns;
}

/// Class names, the selection they and the thresholds lead to, and what the file states.
PipelineSettings settings_for(const network::ModelContract& network, const Options& options, const NamesInFile& names,
                              Info& info) {
  const network::ExportContract& stated = names.contract;
  network::check_agreement(stated, network, info.model);
  const network::ClassLayout layout = resolve_classes(network.columns, options, names, info.model);
  info.resize = resolve_resize(options, stated, info.model);
  info.producer = stated.producer;
  PipelineSettings settings{selection_rule(layout, options, stated.places.value_or(0)), info.resize, options.outlines,
                            std::make_shared<const ClassNames>(layout.names),           info.slots,  info.stages};
  settings.normalisation = normalisation_of(stated);
  return settings;
}

/// A key of a file's metadata; "" when it is not there.
std::string metadata_of(const network::onnx::ModelFile& file, const char* key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? "" : found->second;
}

std::vector<std::string> output_names(const network::onnx::ModelFile& file) {
  std::vector<std::string> names;
  for (const network::TensorDescription& output : file.outputs) names.push_back(output.name);
  return names;
}

/// Every pipeline runs one image at a time. A fixed batch of more has no place to put them.
void require_batch_of_one(const network::ModelContract& contract, const std::string& model) {
  if (contract.batch > 1)
    throw ModelError(model + " is not an RF-DETR segmentation network that can be run: its batch is fixed at " +
                     std::to_string(contract.batch) + ": export it again with batch_size=1 or dynamic_batch=True.");
}

ReadyPipeline set_up_cpu(Info info, const Options& options) {
  info.device = "cpu";
  info.backend = "onnxruntime";
  info.threads = options.threads > 0 ? options.threads : host::physical_cores();
  info.slots = options.slots > 0 ? options.slots : kCpuSlots;
  say_idle_options(options);
  const network::onnx::ModelFile file = network::onnx::read_model_file(info.model);
  const network::ExportContract stated = network::read_contract(
      info.model, "onnx", metadata_of(file, "rfdetr_inference"), output_names(file), options.log);
  network::check_declared(stated, file.inputs, file.outputs, info.model);
  auto network =
      std::make_unique<network::OnnxNetwork>(file, options.onnxruntime, info.threads, options.log, stated.roles);
  info.library_version = network->library_version();
  info.library_path = network->library_path();
  describe(info, network->contract(), file.precision);
  require_batch_of_one(network->contract(), info.model);
  if (options.device == "auto")
    say(options, LogLevel::info,
        "device auto: cpu, because " + info.model + " is an ONNX file (ONNX Runtime " + info.library_version + ", " +
            std::to_string(info.threads) + " threads)");
  PipelineSettings settings = settings_for(
      network->contract(), options, {stated, metadata_of(file, "names"), metadata_of(file, "rfdetr_notes")}, info);
  auto names = settings.names;
  auto rule = settings.rule;
  return {std::move(info), std::move(names), std::move(rule),
          std::make_unique<CpuPipeline>(std::move(network), std::move(settings))};
}

ReadyPipeline set_up_gpu(Info info, int ordinal, const Options& options) {
  network::check_engine_file(info.model);
  const network::ExportContract stated = network::read_contract(info.model, "tensorrt", "", {}, options.log);
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
  describe(info, engine.contract(), stated.precision);
  require_batch_of_one(engine.contract(), info.model);
  if (options.device == "auto")
    say(options, LogLevel::info,
        "device auto: " + info.device + ", because " + info.model + " is a TensorRT engine (TensorRT " +
            info.library_version + " on " + info.gpu + ")");
  PipelineSettings settings = settings_for(engine.contract(), options, {stated, "", ""}, info);
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
