#include "network/export_contract.hpp"

#include "network/sha256.hpp"
#include "network/stated_facts.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <system_error>

namespace rfseg::network {

namespace {

constexpr int kSchema = 1;

const std::set<std::string> kKeys = {"schema_version",
                                     "producer_version",
                                     "variant",
                                     "backend",
                                     "format",
                                     "task",
                                     "input_shape",
                                     "max_batch_size",
                                     "input_layout",
                                     "input_dtype",
                                     "input_name",
                                     "outputs",
                                     "means",
                                     "stds",
                                     "pixel_scale",
                                     "channel_order",
                                     "resize_interpolation",
                                     "resize_antialias",
                                     "class_names",
                                     "class_id_to_name",
                                     "num_classes",
                                     "num_select",
                                     "selection_policy",
                                     "box_format",
                                     "upsample_masks_to_image_size",
                                     "num_keypoints_per_class",
                                     "trace_alpha",
                                     "patch_size",
                                     "num_windows"};

void require_schema(const StatedFacts& facts) {
  const Value* version = facts.find("schema_version");
  if (version == nullptr) facts.refuse("schema_version", "it is missing: not a contract that rfseg can read");
  if (version->integer() != kSchema)
    facts.refuse("schema_version", "this rfseg reads " + std::to_string(kSchema) +
                                       ": install a newer rfseg, or export with an rfdetr that writes it");
}

void require_task(const StatedFacts& facts) {
  const std::optional<std::string> task = facts.text("task");
  if (!task) facts.refuse("task", "it is missing: expected \"segment\"");
  if (*task != "segment")
    facts.refuse("task", "rfseg runs segmentation networks: export a segmentation variant (RFDETRSeg...)");
}

void require_followed(const StatedFacts& facts, const std::string& format) {
  for (const auto& [key, value] : *facts.object().object())
    if (kKeys.count(key) == 0) facts.refuse(key, "a key that schema 1 does not have");
  facts.require("format", format);
  facts.require("input_layout", "NCHW");
  facts.require("channel_order", "RGB");
  facts.require("resize_interpolation", "bilinear");
  facts.require("selection_policy", "all_logits");
  facts.require("box_format", "cxcywh_normalized");
  const Value* scale = facts.find("pixel_scale");
  if (scale != nullptr && (scale->number() == nullptr || !(std::abs(scale->number()->value * 255 - 1) < 1e-6)))
    facts.refuse("pixel_scale", "rfseg follows 1/255 only");
  if (facts.boolean("upsample_masks_to_image_size") == false)
    facts.refuse("upsample_masks_to_image_size", "rfseg's masks are always those of the whole image");
}

void read_shape(const StatedFacts& facts, ExportContract& contract) {
  const Value* shape = facts.find("input_shape");
  if (shape != nullptr) {
    std::vector<int> sizes;
    if (shape->list() != nullptr)
      for (const Value& size : *shape->list()) sizes.push_back(size.integer().value_or(0));
    if (sizes.size() != 4 || sizes[0] < -1 || std::count(sizes.begin(), sizes.end(), 0) > 0 || sizes[2] < 1 ||
        sizes[3] < 1)
      facts.refuse("input_shape", "expected [N, 3, height, width] with -1 for an open N");
    if (sizes[1] != 3) facts.refuse("input_shape", "rfseg runs networks of 3 channels");
    contract.batch = std::max(sizes[0], 0);
    contract.input_size = ImageSize{sizes[2], sizes[3]};
  }
  contract.max_batch = facts.integer("max_batch_size", 1);
  if (contract.max_batch && contract.batch.value_or(0) > 0 && *contract.max_batch != *contract.batch)
    facts.refuse("max_batch_size", "input_shape fixes the batch at " + std::to_string(*contract.batch));
  contract.input_type = facts.text("input_dtype");
  if (contract.input_type && *contract.input_type != "float32" && *contract.input_type != "float16")
    facts.refuse("input_dtype", "rfseg gives float32 or float16");
}

/// The tensor that `key` names or counts; "" when it states none that is known.
std::string tensor_name(const StatedFacts& facts, const std::string& key, const std::vector<std::string>& tensors) {
  const Value* value = facts.find(key);
  if (value == nullptr) return "";
  if (value->text() != nullptr) return *value->text();
  const std::optional<int> position = value->integer();
  if (!position || *position < 0) facts.refuse(key, "expected the name or the position of a tensor");
  if (tensors.empty()) return "";
  if (*position >= static_cast<int>(tensors.size()))
    facts.refuse(key, "the file has " + std::to_string(tensors.size()) + " outputs");
  return tensors[static_cast<std::size_t>(*position)];
}

TensorRoles read_outputs(const StatedFacts& facts, const std::vector<std::string>& outputs) {
  TensorRoles roles;
  const std::optional<StatedFacts> stated = facts.inner("outputs");
  if (!stated) return roles;
  roles.dets = tensor_name(*stated, "pred_boxes", outputs);
  roles.labels = tensor_name(*stated, "pred_logits", outputs);
  roles.masks = tensor_name(*stated, "pred_masks", outputs);
  if (stated->find("pred_masks") == nullptr) facts.refuse("outputs", "no pred_masks among them");
  if (!roles.dets.empty() && (roles.dets == roles.labels || roles.dets == roles.masks || roles.labels == roles.masks))
    facts.refuse("outputs", "one tensor plays two parts");
  return roles;
}

std::string joined(const std::optional<std::string>& version, const std::optional<std::string>& variant) {
  return (version ? "rfdetr " + *version : "") + (version && variant ? ", " : "") + variant.value_or("");
}

void require_digest(const StatedFacts& facts, const std::string& key, const std::string& model) {
  std::optional<std::string> stated = facts.text(key);
  if (!stated) facts.refuse(key, "it is missing: expected the SHA-256 of " + model);
  std::transform(stated->begin(), stated->end(), stated->begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::string found = sha256_of_file(model);
  if (*stated != found)
    facts.refuse(key, "it describes another build: " + model + " has " + found +
                          "; put the file beside it that was written with it, or remove this one");
}

void read_engine_input(const StatedFacts& input, ExportContract& contract) {
  contract.roles.input = input.text("name").value_or("");
  const auto height = input.integer("height", 1), width = input.integer("width", 1);
  if (height && width) contract.input_size = ImageSize{*height, *width};
  if (const auto normalization = input.inner("normalization")) {
    const Value* scale = normalization->find("scale");
    if (scale != nullptr && (scale->number() == nullptr || scale->number()->value != 255))
      normalization->refuse("scale", "rfseg follows 255 only");
    contract.mean = normalization->triple("mean", false);
    contract.deviation = normalization->triple("std", true);
  }
  if (const auto resize = input.inner("resize")) {
    resize->require("interpolation", "bilinear");
    if (resize->boolean("half_pixel_centers") == false)
      resize->refuse("half_pixel_centers", "rfseg follows half-pixel centres only");
    const Value* ratio = resize->find("aspect_ratio");  // what a stretch is called is not fixed; what keeps it is
    if (ratio != nullptr && ((ratio->boolean() != nullptr && *ratio->boolean()) ||
                             (ratio->text() != nullptr && (*ratio->text() == "keep" || *ratio->text() == "preserve" ||
                                                           *ratio->text() == "letterbox"))))
      resize->refuse("aspect_ratio", "rfseg stretches frames to the input");
    contract.antialias = resize->boolean("antialias");
  }
}

}  // namespace

ExportContract parse_export_contract(const Value& object, const std::string& source, const std::string& format,
                                     const std::vector<std::string>& outputs) {
  const StatedFacts facts(object, source);
  require_schema(facts);
  require_task(facts);
  require_followed(facts, format);
  ExportContract contract;
  contract.source = source;
  contract.producer = joined(facts.text("producer_version"), facts.text("variant"));
  read_shape(facts, contract);
  contract.roles = read_outputs(facts, outputs);
  const Value* input = facts.find("input_name");
  if (input != nullptr && input->text() == nullptr && input->integer() != 0)
    facts.refuse("input_name", "expected the name of the input, or 0");
  if (input != nullptr && input->text() != nullptr) contract.roles.input = *input->text();
  contract.mean = facts.triple("means", false);
  contract.deviation = facts.triple("stds", true);
  contract.antialias = facts.boolean("resize_antialias");
  contract.num_classes = facts.integer("num_classes", 1);
  contract.places = facts.integer("num_select", 1);
  for (const char* key : {"class_names", "class_id_to_name"})  // the second decides
    if (const Value* names = facts.find(key)) contract.class_names = *names;
  return contract;
}

ExportContract parse_engine_contract(const Value& object, const std::string& source, const std::string& model) {
  const StatedFacts facts(object, source);
  require_schema(facts);
  ExportContract contract;
  contract.source = source;
  if (const auto engine = facts.inner("engine")) {
    std::error_code error;
    const std::uintmax_t bytes = std::filesystem::file_size(model, error);
    const Value* size = engine->find("size");
    if (size != nullptr && (size->number() == nullptr || size->number()->value != static_cast<double>(bytes)))
      engine->refuse("size", "it describes another build: " + model + " has " + std::to_string(bytes) + " bytes");
    require_digest(*engine, "sha256", model);
  }
  if (const auto input = facts.inner("input")) read_engine_input(*input, contract);
  const Value* outputs = facts.find("outputs");  // a list of another kind states no roles
  if (outputs != nullptr && outputs->find("pred_masks") != nullptr) {
    const std::string input = contract.roles.input;
    contract.roles = read_outputs(facts, {});
    contract.roles.input = input;
  }
  if (const auto batch = facts.inner("batch")) {
    const bool dynamic = batch->boolean("dynamic").value_or(false);
    contract.batch = dynamic ? 0 : batch->integer("size", 1);
    if (dynamic) contract.max_batch = batch->integer("max", 1);
  }
  if (const auto build = facts.inner("build")) {
    contract.precision = build->text("precision").value_or("");
    contract.built.tensorrt = build->text("tensorrt_version").value_or("");
    if (const auto gpu = build->inner("gpu")) {
      contract.built.gpu = gpu->text("name").value_or("");
      contract.built.compute_capability = gpu->text("compute_capability").value_or("");
    }
  }
  return contract;
}

}  // namespace rfseg::network
