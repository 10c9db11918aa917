// Segments one frame, a binary PPM file, and prints a line per instance and the points of its outlines.
//   consumer MODEL FRAME.ppm
#include <rfseg/rfseg.hpp>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

struct Frame {
  std::vector<std::uint8_t> pixels;
  rfseg::ImageView view;
};

Frame read_ppm(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string magic;
  int width = 0, height = 0, most = 0;
  file >> magic >> width >> height >> most;
  file.get();
  Frame frame;
  frame.pixels.assign(std::istreambuf_iterator<char>(file), {});
  frame.view = {frame.pixels.data(), height, width, 3L * width, rfseg::PixelFormat::rgb8};
  return frame;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) return std::fprintf(stderr, "usage: consumer MODEL FRAME.ppm\n"), 1;
  rfseg::Options options;
  options.device = "cpu";
  rfseg::Segmenter segmenter(argv[1], options);
  const Frame frame = read_ppm(argv[2]);
  const rfseg::Result result = segmenter.infer(frame.view);
  std::printf("rfseg %s, %d instances\n", RFSEG_VERSION, result.size());
  for (int i = 0; i < result.size(); ++i) {
    const auto row = static_cast<std::size_t>(i);
    const std::vector<rfseg::Polygon>& polygons = result.masks.polygons(i, rfseg::OutlineMode::external);
    std::printf("%s %.6f %zu outlines:", result.names->at(result.class_id[row]).c_str(), result.confidence[row],
                polygons.size());
    for (const rfseg::Polygon& polygon : polygons)
      for (const rfseg::Point point : polygon.exterior) std::printf(" %d,%d", point.x, point.y);
    std::printf("\n");
  }
  return 0;
} catch (const rfseg::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 2;
}
