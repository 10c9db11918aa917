#include "pipeline/opening/set_up.hpp"

#include "host/processors.hpp"
#include "host/speaker.hpp"
#include "network/contract_files.hpp"
#include "network/onnx/runtime.hpp"
#include "network/trial.hpp"
#include "pipeline/cpu/cpu_pipeline.hpp"
#include "pipeline/gpu/device_network.hpp"
#include "pipeline/gpu/gpu_pipeline.hpp"
#include "pipeline/opening/settings.hpp"
#include "pipeline/opening/stated_by_file.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rfseg::pipeline {

namespace {

// On a GPU (tests/bench/NOTES.md).
constexpr int kUsualBatch = 16;
constexpr int kFewLanes = 2, kManyLanes = 6;
constexpr int kMostCrew = 8;       // beyond it a copy's bandwidth no longer grows
constexpr int kMostCpuBatch = 64;  // of an open batch; each slot's images are held twice

network::BatchRange range_of(const network::ModelContract& contract, int most) {
  if (contract.batch > 0) return {contract.batch, contract.batch, contract.batch};
  return {1, 1, most};
}

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

/// What the names and options make of a network that was recognised.
struct Resolved {
  Rules rules;
  PipelineSettings settings;
};

Resolved resolve(const network::ModelContract& network, const Options& options, const NamesInFile& names, Info& info) {
  const network::ExportContract& stated = names.contract;
  network::ClassLayout layout = resolve_classes(network.columns, options, names, info.model);
  info.resize = resolve_resize(options, stated, info.model);
  info.normalisation = normalisation_of(stated);
  info.places = stated.places.value_or(network.queries);
  info.producer = stated.producer;
  auto shown = std::make_shared<const ClassNames>(layout.names);
  return {Rules(std::move(layout), options, stated.places.value_or(0)),
          {info.resize, options.outlines, std::move(shown), options.max_detections, info.slots, info.lanes,
           info.max_batch, info.normalisation}};
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

/// Images that an execution takes at most: what was asked for, within what the network takes.
int settle_batch(const std::string& model, int asked, network::BatchRange range, int usual) {
  if (asked > range.most || (asked > 0 && asked < range.least))
    throw InputError("max_batch is " + std::to_string(asked) + ", but " + model + " runs " +
                     (range.least == range.most ? "exactly " + std::to_string(range.most)
                                                : std::to_string(range.least) + " to " + std::to_string(range.most)) +
                     " images at once");
  return asked > 0 ? asked : std::clamp(usual, range.least, range.most);
}

ReadyPipeline set_up_cpu(Info info, const Options& options) {
  info.device = "cpu";
  info.backend = "onnxruntime";
  info.threads = options.threads > 0 ? options.threads : host::physical_cores();
  info.lanes = 1;
  say_idle_options(options);
  const network::onnx::ModelFile file = network::onnx::read_model_file(info.model);
  const network::ExportContract stated = network::read_contract(
      info.model, "onnx", metadata_of(file, "rfdetr_inference"), output_names(file), options.log);
  network::check_declared(stated, file.inputs, file.outputs, info.model);
  auto network =
      std::make_unique<network::OnnxNetwork>(file, options.onnxruntime, info.threads, options.log, stated.roles);
  info.library_version = network->library_version();
  info.library_path = network->library_path();
  const network::ModelContract& contract = network->contract();
  network::check_agreement(stated, contract, info.model);
  describe(info, contract, file.precision);
  const network::BatchRange range =
      range_of(contract, std::min(kMostCpuBatch, stated.max_batch.value_or(kMostCpuBatch)));
  info.min_batch = range.least;
  info.max_batch = settle_batch(info.model, options.max_batch, range, 1);
  info.slots = options.slots > 0 ? options.slots : 2 * info.max_batch;
  if (options.device == "auto")
    say(options, LogLevel::info,
        "device auto: cpu, because " + info.model + " is an ONNX file (ONNX Runtime " + info.library_version + ", " +
            std::to_string(info.threads) + " threads)");
  Resolved ready =
      resolve(contract, options, {stated, metadata_of(file, "names"), metadata_of(file, "rfdetr_notes")}, info);
  auto names = ready.settings.names;
  return {std::move(info), std::move(names), std::move(ready.rules),
          std::make_unique<CpuPipeline>(std::move(network), std::move(ready.settings))};
}

std::vector<cuda::SharedDevice> open_devices(std::vector<int> ordinals) {
  const cuda::SharedDriver driver = cuda::open_driver();
  if (ordinals == std::vector<int>{kAllGpus}) {
    ordinals.clear();
    for (const cuda::DeviceInfo& device : cuda::list_devices(*driver)) ordinals.push_back(device.ordinal);
  }
  std::vector<cuda::SharedDevice> devices;
  for (const int ordinal : ordinals) devices.push_back(std::make_shared<const cuda::Device>(driver, ordinal));
  return devices;
}

void describe(Info& info, const std::vector<cuda::SharedDevice>& devices) {
  for (const cuda::SharedDevice& device : devices) {
    const int ordinal = device->info().ordinal;
    info.device += (info.device.empty() ? "cuda:" : ",cuda:") + std::to_string(ordinal);
    info.gpu += (info.gpu.empty() ? "" : ", ") + device->info().text();
    info.gpu_ordinals.push_back(ordinal);
  }
}

/// Lanes and slots that were measured as best (tests/bench/NOTES.md): with large batches two executions fill a GPU,
/// with single images it takes several; and while these run, a batch may wait, and another be on its way in or out.
void settle_flow(Info& info, const Options& options) {
  info.lanes = options.lanes > 0 ? options.lanes : info.max_batch >= 4 ? kFewLanes : kManyLanes;
  info.slots = options.slots > 0 ? options.slots : std::max(info.max_batch * (info.lanes + 2), 2 * info.lanes);
  info.lanes = std::min(info.lanes, info.slots);
}

std::unique_ptr<Pipeline> gpu_pipeline(const std::vector<cuda::SharedDevice>& devices,
                                       std::vector<network::TensorRtEngine> engines, const PipelineSettings& settings,
                                       const Info& info) {
  if (info.stages == Stages::host)
    return std::make_unique<CpuPipeline>(
        std::make_unique<DeviceNetwork>(devices.front(), std::move(engines.front()), info.max_batch), settings);
  std::vector<std::unique_ptr<const GpuModel>> models;
  for (std::size_t i = 0; i < devices.size(); ++i)
    models.push_back(std::make_unique<const GpuModel>(devices[i], std::move(engines[i]), settings));
  return std::make_unique<GpuPipeline>(std::move(models), info.threads);
}

/// One execution, of as few images as the engine takes; what it sets up the lanes need too.
void try_out(const cuda::SharedDevice& device, const network::TensorRtEngine& engine) {
  DeviceNetwork network(device, engine, engine.batch().least);
  network::try_out(network, engine.file(), engine.batch().least);
}

/// The kernels of the GPU take as many pairs as there are queries.
void check_places(const network::ExportContract& stated, const network::ModelContract& contract, const Info& info) {
  if (info.stages == Stages::host || stated.places.value_or(contract.queries) == contract.queries) return;
  throw BackendError(info.model + ": " + stated.source + " states " + std::to_string(*stated.places) + " places for " +
                     std::to_string(contract.queries) +
                     " queries, which stages \"device\" cannot give: pass stages \"host\"");
}

ReadyPipeline set_up_gpu(Info info, const std::vector<int>& ordinals, const Options& options) {
  network::check_engine_file(info.model);
  const network::ExportContract stated = network::read_contract(info.model, "tensorrt", "", {}, options.log);
  const std::vector<cuda::SharedDevice> devices = open_devices(ordinals);
  describe(info, devices);
  info.backend = "tensorrt";
  info.stages = options.stages;
  info.threads = options.threads > 0 ? options.threads : std::clamp(host::processors() / 2, 1, kMostCrew);
  std::vector<network::TensorRtEngine> engines;
  for (const cuda::SharedDevice& device : devices)
    engines.emplace_back(info.model, device,
                         network::TensorRtOptions{options.tensorrt, options.library_folders, options.allow_engine_code,
                                                  options.log, stated.built});
  const network::TensorRtEngine& engine = engines.front();
  info.library_version = engine.library_version();
  info.library_path = engine.library_path();
  network::check_agreement(stated, engine.contract(), info.model);
  describe(info, engine.contract(), stated.precision);
  check_places(stated, engine.contract(), info);
  info.min_batch = engine.batch().least;
  info.max_batch = settle_batch(info.model, options.max_batch, engine.batch(),
                                std::min(kUsualBatch, stated.max_batch.value_or(kUsualBatch)));
  settle_flow(info, options);
  try_out(devices.front(), engine);
  if (options.device == "auto")
    say(options, LogLevel::info,
        "device auto: " + info.device + ", because " + info.model + " is a TensorRT engine (TensorRT " +
            info.library_version + " on " + info.gpu + ")");
  Resolved ready = resolve(engine.contract(), options, {stated, "", ""}, info);
  auto names = ready.settings.names;
  auto pipeline = gpu_pipeline(devices, std::move(engines), ready.settings, info);
  return {std::move(info), std::move(names), std::move(ready.rules), std::move(pipeline)};
}

}  // namespace

ReadyPipeline set_up(const std::string& model, const Options& given) {
  Options options = given;
  options.log = host::one_at_a_time(given.log);
  check_options(options);
  Info info;
  info.model = model;
  const std::vector<int> gpus = choose_gpus(model, options);
  ReadyPipeline ready =
      gpus.empty() ? set_up_cpu(std::move(info), options) : set_up_gpu(std::move(info), gpus, options);
  ready.log = options.log;
  return ready;
}

}  // namespace rfseg::pipeline
