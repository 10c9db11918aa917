#include "network/onnx/model_file.hpp"

#include "network/file_kind.hpp"
#include "network/onnx/wire_reader.hpp"
#include "network/text.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <system_error>

namespace rfseg::network::onnx {

namespace {

using Field = WireReader::Field;

constexpr std::uint64_t kMostName = 4096;  // bytes of a name or a key; longer ones are cut
const std::set<std::string> kKeys = {"names", "rfdetr_inference", "rfdetr_notes"};

/// Name of a kind of weights, by ONNX's numbers; "" for indices and flags. Source: TensorProto.DataType.
std::string weight_kind(std::uint64_t type) {
  switch (type) {
    case 1:
      return "float32";
    case 2:
    case 3:
      return "int8";
    case 10:
      return "float16";
    case 11:
      return "float64";
    case 16:
      return "bfloat16";
    case 17:
    case 18:
    case 19:
    case 20:
      return "float8";
    case 21:
    case 22:
      return "int4";
    default:
      return "";
  }
}

class FileReader {
 public:
  explicit FileReader(const std::string& path) : wire_(path) { file_.path = path; }

  ModelFile read() {
    bool graph = false;
    wire_.message(wire_.size(), [&](const Field& field) {
      if (field.number == 1 && !field.sized) file_.ir_version = static_cast<std::int64_t>(field.value);
      if (field.number == 7 && field.sized) read_graph(field.value), graph = true;
      if (field.number == 8 && field.sized) read_opset(field.value);
      if (field.number == 14 && field.sized) read_property(field.value);
    });
    if (!graph) wire_.refuse();
    const auto is_weight = [&](const TensorDescription& input) { return weight_names_.count(input.name) > 0; };
    file_.inputs.erase(std::remove_if(file_.inputs.begin(), file_.inputs.end(), is_weight), file_.inputs.end());
    file_.precision = precision();
    check_outside_files();
    return std::move(file_);
  }

 private:
  std::string name(std::uint64_t length) { return wire_.text(std::min(length, kMostName)); }

  void read_opset(std::uint64_t length) {
    std::string domain;
    std::int64_t version = 0;
    wire_.message(length, [&](const Field& field) {
      if (field.number == 1 && field.sized) domain = name(field.value);
      if (field.number == 2 && !field.sized) version = static_cast<std::int64_t>(field.value);
    });
    if (domain.empty() || domain == "ai.onnx") file_.opset = std::max(file_.opset, version);
  }

  void read_property(std::uint64_t length) {
    std::string key, value;
    std::uint64_t bytes = 0;
    wire_.message(length, [&](const Field& field) {
      if (field.number == 1 && field.sized) key = name(field.value);
      if (field.number != 2 || !field.sized) return;
      bytes = field.value;
      if (bytes <= kMostTextBytes) value = wire_.text(bytes);
    });
    if (kKeys.count(key) == 0) return;
    if (bytes > kMostTextBytes)
      throw ModelError(file_.path + ": its metadata " + key + " has " + std::to_string(bytes) +
                       " bytes: more than any rfdetr writes");
    if (!file_.metadata.emplace(key, std::move(value)).second)
      throw ModelError(file_.path + ": its metadata " + key + " is there twice");
  }

  void read_graph(std::uint64_t length) {
    wire_.message(length, [&](const Field& field) {
      if (!field.sized) return;
      if (field.number == 5) read_weights(field.value);
      if (field.number == 11) file_.inputs.push_back(read_tensor(field.value));
      if (field.number == 12) file_.outputs.push_back(read_tensor(field.value));
    });
  }

  TensorDescription read_tensor(std::uint64_t length) {
    TensorDescription tensor;
    wire_.message(length, [&](const Field& field) {
      if (field.number == 1 && field.sized) tensor.name = name(field.value);
      if (field.number != 2 || !field.sized) return;
      wire_.message(field.value, [&](const Field& type) {
        if (type.number != 1 || !type.sized) return;
        wire_.message(type.value, [&](const Field& part) {
          if (part.number == 1 && part.value == 1) tensor.type = ElementType::float32;
          if (part.number == 1 && part.value == 10) tensor.type = ElementType::float16;
          if (part.number == 2 && part.sized) read_shape(part.value, tensor);
        });
      });
    });
    return tensor;
  }

  void read_shape(std::uint64_t length, TensorDescription& tensor) {
    wire_.message(length, [&](const Field& dimension) {
      if (dimension.number != 1 || !dimension.sized) return;
      std::int64_t size = -1;
      wire_.message(dimension.value, [&](const Field& part) {
        if (part.number == 1 && !part.sized) size = static_cast<std::int64_t>(part.value);
      });
      tensor.shape.push_back(size);
    });
  }

  void read_weights(std::uint64_t length) {
    double count = 1;
    std::uint64_t type = 0;
    bool outside = false;
    std::map<std::string, std::string> place;
    wire_.message(length, [&](const Field& field) {
      if (field.number == 1 && !field.sized) count *= static_cast<double>(field.value);
      if (field.number == 1 && field.sized)
        for (const std::uint64_t end = wire_.at() + field.value; wire_.at() < end;)
          count *= static_cast<double>(wire_.number());
      if (field.number == 2 && !field.sized) type = field.value;
      if (field.number == 8 && field.sized) weight_names_.insert(name(field.value));
      if (field.number == 13 && field.sized) read_place(field.value, place);
      if (field.number == 14) outside = field.value == 1;
    });
    if (const std::string kind = weight_kind(type); !kind.empty()) weights_[kind] += count;
    if (!outside) return;
    const auto bytes = [&](const char* key) {
      std::uint64_t value = 0;
      std::from_chars(place[key].data(), place[key].data() + place[key].size(), value);
      return value;
    };
    std::uint64_t& end = outside_[place["location"]];
    end = std::max(end, bytes("offset") + bytes("length"));
  }

  void read_place(std::uint64_t length, std::map<std::string, std::string>& place) {
    std::string key, value;
    wire_.message(length, [&](const Field& field) {
      if (field.number == 1 && field.sized) key = name(field.value);
      if (field.number == 2 && field.sized) value = name(field.value);
    });
    place[key] = value;
  }

  /// The kind that 95 of 100 weights are of.
  std::string precision() const {
    double all = 0;
    for (const auto& [kind, count] : weights_) all += count;
    for (const auto& [kind, count] : weights_)
      if (count >= 0.95 * all) return kind;
    return all > 0 ? "mixed" : "";
  }

  void check_outside_files() const {
    for (const auto& [location, end] : outside_) {
      const std::filesystem::path path = std::filesystem::path(file_.path).parent_path() / location;
      std::error_code error;
      const std::uintmax_t bytes = std::filesystem::file_size(path, error);
      if (error)
        throw ModelError(file_.path + ": its weights are in the file " + location +
                         ", which must lie beside it and is missing: copy or download it too, under that name");
      if (bytes < end)
        throw ModelError(file_.path + ": its weights are in the file " + location + ", which has " +
                         std::to_string(bytes) + " bytes, not the " + std::to_string(end) +
                         " it needs: it is cut short or a Git LFS pointer; copy or download it again");
    }
  }

  WireReader wire_;
  ModelFile file_;
  std::set<std::string> weight_names_;
  std::map<std::string, double> weights_;         // elements of each kind
  std::map<std::string, std::uint64_t> outside_;  // file -> bytes it must have
};

}  // namespace

ModelFile read_model_file(const std::string& path) {
  require_model_file(path);
  const FileLook look = look_at_file(path);
  if (look.kind == FileKind::other) throw ModelError(path + " " + look.words);
  if (look.kind == FileKind::tensorrt)
    throw ModelError(path + " is a TensorRT engine: name it .engine, .plan or .trt to run it on a GPU");
  try {
    return FileReader(path).read();
  } catch (const MalformedFile&) {
    throw ModelError(path + (look.kind == FileKind::onnx ? " is damaged or cut short: export or download it again"
                                                         : " is not an ONNX file"));
  }
}

}  // namespace rfseg::network::onnx
