// The structs of the C interface, their defaults, and what they mean in C++.
#include "capi/handles.hpp"

#include <utility>

namespace rfseg::capi {
namespace {

constexpr std::size_t kUnsized = sizeof(std::size_t);

rfseg_options default_options() {
  rfseg_options options{};
  const Options usual;
  options.threshold = usual.threshold;
  options.max_detections = usual.max_detections;
  return options;
}

rfseg_frame default_frame() {
  rfseg_frame frame{};
  const ImageView usual;
  frame.pixel_bytes = usual.pixel_bytes;
  frame.channel_bytes = usual.channel_bytes;
  return frame;
}

std::string text(const char* given) { return given != nullptr ? given : ""; }

/// @throws InputError  `value` is not one of the `count` values of the enumeration
template <class Enum>
Enum checked(std::int32_t value, std::int32_t count, const char* field) {
  if (value < 0 || value >= count)
    throw InputError(std::string(field) + " is " + std::to_string(value) + ", but it must be 0 to " +
                     std::to_string(count - 1));
  return static_cast<Enum>(value);
}

}  // namespace

Options options_of(const rfseg_options* given_options) {
  Options options;
  if (given_options == nullptr) return options;
  const rfseg_options c = read(given_options, default_options(), "rfseg_options");
  if (c.device != nullptr) options.device = c.device;
  options.threshold = c.threshold;
  options.max_detections = c.max_detections;
  const auto resize = checked<int>(c.resize, RFSEG_RESIZE_BILINEAR + 1, "rfseg_options.resize");
  if (resize != RFSEG_RESIZE_AUTO) options.resize = resize == RFSEG_RESIZE_PIL ? Resize::pil : Resize::bilinear;
  options.slots = c.slots;
  options.lanes = c.lanes;
  options.max_batch = c.max_batch;
  options.threads = c.threads;
  options.allow_engine_code = c.allow_engine_code != 0;
  if (c.names != nullptr) options.names = std::string(c.names);
  options.onnxruntime = text(c.onnxruntime);
  options.tensorrt = text(c.tensorrt);
  if (c.log != nullptr)
    options.log = [log = c.log, user = c.log_user](LogLevel level, const std::string& message) {
      log(user, static_cast<std::int32_t>(level), message.c_str());
    };
  return options;
}

ImageView view_of(const rfseg_frame* frame) {
  const rfseg_frame c = read(frame, default_frame(), "rfseg_frame");
  ImageView view;
  view.data = c.planes[0].data;
  view.row_bytes = c.planes[0].row_bytes;
  view.height = c.height;
  view.width = c.width;
  view.format = checked<PixelFormat>(c.format, RFSEG_I010 + 1, "rfseg_frame.format");
  view.memory = checked<MemoryKind>(c.memory, RFSEG_DEVICE + 1, "rfseg_frame.memory");
  view.pixel_bytes = c.pixel_bytes;
  view.channel_bytes = c.channel_bytes;
  view.chroma = {Plane{c.planes[1].data, c.planes[1].row_bytes}, Plane{c.planes[2].data, c.planes[2].row_bytes}};
  view.matrix = checked<ColorMatrix>(c.matrix, RFSEG_BT2020 + 1, "rfseg_frame.matrix");
  view.range = checked<ColorRange>(c.range, RFSEG_RANGE_FULL + 1, "rfseg_frame.range");
  if (c.has_producer_stream != 0) view.producer_stream = c.producer_stream;
  return view;
}

FrameOptions frame_options_of(const rfseg_frame_options* given_options) {
  FrameOptions options;
  if (given_options == nullptr) return options;
  const rfseg_frame_options c = read(given_options, rfseg_frame_options{}, "rfseg_frame_options");
  if (c.has_threshold != 0) options.threshold = c.threshold;
  if (c.has_classes != 0) {
    if (c.class_count > 0) given(c.class_ids, "rfseg_frame_options.class_ids");
    options.classes.emplace(c.class_ids, c.class_ids + c.class_count);
  }
  return options;
}

}  // namespace rfseg::capi

using namespace rfseg::capi;

void rfseg_options_init(rfseg_options* options, size_t struct_bytes) {
  if (options != nullptr && struct_bytes >= kUnsized) write(options, struct_bytes, default_options());
}

void rfseg_frame_init(rfseg_frame* frame, size_t struct_bytes) {
  if (frame != nullptr && struct_bytes >= kUnsized) write(frame, struct_bytes, default_frame());
}

void rfseg_frame_options_init(rfseg_frame_options* options, size_t struct_bytes) {
  if (options != nullptr && struct_bytes >= kUnsized) write(options, struct_bytes, rfseg_frame_options{});
}
