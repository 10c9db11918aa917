// What is read as class names, where reading stops and why, and which class columns are kept.
#include "doctest.h"

#include "network/class_names.hpp"
#include "network/names_reader.hpp"

#include <rfseg/error.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>

using rfseg::ClassNames;
using rfseg::network::class_layout;
using rfseg::network::ClassLayout;
using rfseg::network::parse_names;
using List = std::vector<std::string>;

namespace {

List list_of(const std::string& json) { return std::get<List>(parse_names(json, "class names in here")); }
ClassNames map_of(const std::string& json) { return std::get<ClassNames>(parse_names(json, "class names in here")); }

/// What is said about `json`, without the source; fails when it is read.
std::string refusal(const std::string& json) {
  const std::string start = "class names in here: ";
  try {
    parse_names(json, "class names in here");
  } catch (const rfseg::ModelError& error) {
    const std::string text = error.what();
    REQUIRE(text.rfind(start, 0) == 0);
    return text.substr(start.size());
  }
  FAIL("read: ", json);
  return "";
}

std::string layout_refusal(int columns, const rfseg::NamesOption& names) {
  try {
    class_layout(columns, names, "x.onnx");
  } catch (const rfseg::InputError& error) {
    return error.what();
  }
  FAIL("accepted");
  return "";
}

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("rfseg_names_" + std::to_string(getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("class names: lists and maps are read") {
  CHECK(list_of("[]").empty());
  CHECK(list_of(R"(["circle"])") == List{"circle"});
  CHECK(list_of(" \t\r\n[ \"a\" ,\n\"b\",\"\" ]\n") == List{"a", "b", ""});
  CHECK(map_of("{}").empty());
  CHECK(map_of(R"({"0":"a"})") == ClassNames{{0, "a"}});
  CHECK(map_of(" { \"90\" : \"toothbrush\" , \"1\":\"person\" } ") == ClassNames{{1, "person"}, {90, "toothbrush"}});
  CHECK(map_of(R"({"2147483647":"last"})") == ClassNames{{2147483647, "last"}});
}

TEST_CASE("class names: escapes and UTF-8") {
  CHECK(list_of(R"(["\"\\\/\b\f\n\r\t"])") == List{"\"\\/\b\f\n\r\t"});
  CHECK(list_of(R"(["\u0041\u00e9\u00E9\u20AC\uffff"])") == List{"A\u00e9\u00e9\u20ac\uffff"});
  CHECK(list_of(R"(["\ud83d\ude80\uDBFF\uDFFF"])") == List{"\U0001F680\U0010FFFF"});
  CHECK(list_of("[\"\\u0000\"]") == List{std::string(1, '\0')});
  CHECK(list_of("[\"\u00e9\u20ac\U0001F680\U0010FFFF\x7f\"]") == List{"\u00e9\u20ac\U0001F680\U0010FFFF\x7f"});
}

TEST_CASE("class names: anything else is refused with its position") {
  const std::string neither = "expected a list of names or an object {\"id\": \"name\"} at byte ";
  CHECK(refusal("\"a\"") == neither + "0");
  CHECK(refusal("[1]") == neither + "1");
  CHECK(refusal("[[\"a\"]]") == neither + "1");
  CHECK(refusal("{\"0\":1}") == neither + "5");
  CHECK(refusal("{\"names\": 3}") == neither + "10");
  CHECK(refusal("") == "expected a value at byte 0");
  CHECK(refusal("  circle") == "expected a value at byte 2");
  CHECK(refusal("[] ]") == "expected nothing after the value at byte 3");
  CHECK(refusal("[\"a\"") == "expected ',' or ']' at byte 4");
  CHECK(refusal("[\"a\" \"b\"]") == "expected ',' or ']' at byte 5");
  CHECK(refusal("[,]") == "expected a value at byte 1");
  CHECK(refusal("[\"a]") == "the string is not closed at byte 4");
  CHECK(refusal("[\"a\n\"]") == "a control character must be escaped at byte 3");
  CHECK(refusal("[") == "expected a value at byte 1");
  CHECK(refusal("{\"0\" \"a\"}") == "expected ':' at byte 5");
  CHECK(refusal("{\"0\":\"a\"") == "expected ',' or '}' at byte 8");
  CHECK(refusal("{\"1\":\"a\",\"1\":\"b\"}") == "the key \"1\" is there twice at byte 9");
  CHECK(refusal("['a") == "the string is not closed at byte 3");
  CHECK(refusal("[\"\\") == "expected an escape such as \\n or \\u00e9 at byte 3");
  CHECK(refusal(std::string(100000, '[')).rfind("nested more than 32 deep at byte 33", 0) == 0);
  CHECK(refusal(std::string((4U << 20) + 1, ' ')) == "more than 4 MiB of text");
  for (const char* id : {"", "-1", "+1", "01", "1.0", " 1", "1 ", "0x1", "person", "2147483648"})
    CHECK(refusal(std::string("{\"") + id + "\":\"a\"}").rfind(neither, 0) == 0);
}

TEST_CASE("class names: every notation that exporters write") {
  CHECK(map_of("{0: 'person', 1: \"rider's bike\", 2: 'caf\\xe9'}") ==
        ClassNames{{0, "person"}, {1, "rider's bike"}, {2, "caf\u00e9"}});
  CHECK(list_of("['a', 'b',]") == List{"a", "b"});
  CHECK(list_of("('a', 'it\\'s')") == List{"a", "it's"});
  CHECK(list_of("\xEF\xBB\xBF[\"a\"]") == List{"a"});
  CHECK(list_of(std::string("\xFF\xFE[\0\"\0\xe9\0\"\0]\0", 12)) == List{"\u00e9"});
  CHECK(list_of(std::string("\xFE\xFF\0[\0\"\0a\0\"\0]", 12)) == List{"a"});
  CHECK(list_of(std::string("[\0\"\0a\0\"\0]\0", 10)) == List{"a"});
  CHECK(list_of("{\"names\": [\"a\"], \"nc\": 1}") == List{"a"});
  CHECK(map_of("{\"class_names\": [\"a\"], \"class_id_to_name\": {\"3\": \"a\"}}") == ClassNames{{3, "a"}});
  CHECK(rfseg::network::coco_names().size() == 80);
  CHECK(rfseg::network::coco_names().at(90) == "toothbrush");
  CHECK(rfseg::network::coco_names().count(12) == 0);
}

TEST_CASE("class names: files, by suffix and content") {
  const Folder folder;
  const auto read = [&](const char* name, const std::string& text) {
    std::ofstream(folder / name) << text;
    return rfseg::network::read_names_file(folder / name);
  };
  const auto list = [&](const char* name, const std::string& text) { return std::get<List>(read(name, text)); };
  const auto map = [&](const char* name, const std::string& text) { return std::get<ClassNames>(read(name, text)); };
  CHECK(list("a.txt", "cat\r\nfire hydrant\r\n\r\n") == List{"cat", "fire hydrant"});
  CHECK(list("a.txt",
             "\xEF\xBB\xBF"
             "cat\ndog") == List{"cat", "dog"});
  CHECK(list("a.names", "[\"x\", \"y\"]") == List{"x", "y"});
  CHECK(map("a.txt", "0: cat\n2: dog\n") == ClassNames{{0, "cat"}, {2, "dog"}});
  CHECK(list("d.yaml", "# c\npath: x\nnc: 2\nnames: ['a b', \"c\", d e]  # these\n") == List{"a b", "c", "d e"});
  CHECK(list("d.yaml", "names:\n- a\n- 'it''s'\n- b c # d\nval: x\n") == List{"a", "it's", "b c"});
  CHECK(map("d.yml", "names:\n  0: person\n  1: 'x: y'\n\ntrain: t\n") == ClassNames{{0, "person"}, {1, "x: y"}});
  CHECK(map("d.yaml", "names: {0: a, 1: b c}") == ClassNames{{0, "a"}, {1, "b c"}});
  CHECK(list("d.yaml", "names: [\n  a,\n  b,\n]\nnc: 2\n") == List{"a", "b"});
  CHECK(list("d.txt", "nc: 1\nnames:\n  - a\n") == List{"a"});
  const std::pair<const char*, const char*> faults[] = {{"a.txt", "a\n\nb\n"},
                                                        {"a.txt", " \n"},
                                                        {"a.txt", "0: a\n0: b"},
                                                        {"d.yaml", "nc: 3\n"},
                                                        {"d.yaml", "names: x"},
                                                        {"d.yaml", "names: [a"},
                                                        {"a.json", "\"abc\""},
                                                        {"d.yaml", "names:\n  0: &x a\n"},
                                                        {"d.yaml", "names:\n  a: b\n"},
                                                        {"d.yaml", "names:\n  0: a\n  0: b\n"},
                                                        {"a.json", "{\"0\":\"a\",\"00\":\"b\"}"},
                                                        {"d.yaml", "names: {0: [a], 1: b}"},
                                                        {"a.json", "[NaN]"}};
  for (const auto& [name, text] : faults) {
    CAPTURE(text);
    CHECK_THROWS_AS(read(name, text), rfseg::ModelError);
  }
  CHECK_THROWS_AS(rfseg::network::read_names_file("/dev/zero"), rfseg::ModelError);
  CHECK_THROWS_AS(rfseg::network::asked_names(std::string("/nowhere/a.txt")), rfseg::InputError);
}

TEST_CASE("class names: what looks shifted is refused or said") {
  for (const char* first : {"background", "__background__", "Background", "background_class83422"}) {
    CHECK(layout_refusal(3, List{first, "a", "b"}).find("off by one") != std::string::npos);
    CHECK(layout_refusal(4, List{first, "a", "b"}).find("off by one") != std::string::npos);
  }
  CHECK(class_layout(4, ClassNames{{1, "a"}, {2, "b"}, {3, "c"}}, "x").doubt.find("off by one") != std::string::npos);
  CHECK(class_layout(4, ClassNames{{0, "background"}, {1, "b"}}, "x").doubt.find("off by one") != std::string::npos);
  CHECK(class_layout(91, rfseg::network::coco_names(), "x").doubt.empty());
  CHECK(class_layout(4, ClassNames{{0, "a"}, {1, "b"}, {2, "c"}}, "x").doubt.empty());
  CHECK(layout_refusal(91, List(80)).find("names=\"coco\"") != std::string::npos);
}

TEST_CASE("class names: malformed escapes and bytes are refused") {
  for (const char* escape : {"\\x", "\\u", "\\u12", "\\u12g4", "\\U0041", "\\u+123", "\\u 123"})
    CHECK(refusal(std::string("[\"") + escape + "\"]").rfind("expected an escape such as \\n or \\u00e9", 0) == 0);
  CHECK(refusal("[\"\\\"]") == "the string is not closed at byte 5");
  for (const char* half : {"\\ud83d", "\\ud83dx", "\\ude80", "\\ud83d\\u0041", "\\ud83d\\ud83d"})
    CHECK(refusal(std::string("[\"") + half + "\"]") == "half of a surrogate pair at byte 2");
  for (const char* bytes : {"\x80", "\xC3", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE2\x82", "\xED\xA0\x80",
                            "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3("})
    CHECK(refusal(std::string("[\"") + bytes + "\"]").rfind("not UTF-8 at byte 2", 0) == 0);
  CHECK(refusal(std::string("[\"\xF0\x9F")).rfind("not UTF-8 at byte 2", 0) == 0);
}

TEST_CASE("class names: which columns are kept") {
  const auto kept = [](std::initializer_list<bool> columns) { return std::vector<bool>(columns); };
  SUBCASE("a list of all columns") {
    const ClassLayout layout = class_layout(2, List{"a", "b"}, "x.onnx");
    CHECK(layout.kept == kept({true, true}));
    CHECK(layout.names == ClassNames{{0, "a"}, {1, "b"}});
  }
  SUBCASE("a list one short: the last column means no object") {
    const ClassLayout layout = class_layout(3, List{"a", "b"}, "x.onnx");
    CHECK(layout.kept == kept({true, true, false}));
    CHECK(layout.names == ClassNames{{0, "a"}, {1, "b"}});
  }
  SUBCASE("a map") {
    const ClassLayout layout = class_layout(4, ClassNames{{1, "person"}, {3, "car"}}, "x.onnx");
    CHECK(layout.kept == kept({false, true, false, true}));
    CHECK(layout.names == ClassNames{{1, "person"}, {3, "car"}});
  }
  SUBCASE("nothing") {
    const ClassLayout layout = class_layout(2, {}, "x.onnx");
    CHECK(layout.kept == kept({true, true}));
    CHECK(layout.names.empty());
  }
}

TEST_CASE("class names: names that do not fit the columns are refused") {
  CHECK(layout_refusal(9, List(5)) ==
        "x.onnx: 5 class names, but the network has 9 class columns: list 9 names, or 8 when the last column "
        "means no object; or say which column is which with {id: name}");
  CHECK(layout_refusal(9, List(10)).find("x.onnx: 10 class names, but") != std::string::npos);
  CHECK(layout_refusal(9, ClassNames{{9, "car"}}) ==
        "x.onnx: class 9 (car) is named, but the network has the class columns 0..8");
  CHECK(layout_refusal(9, ClassNames{{-1, "car"}}).find("class -1 (car) is named") != std::string::npos);
}

TEST_CASE("class names: the file beside a model") {
  const Folder folder;
  const std::string model = folder / "net.v2.onnx";
  const std::filesystem::path sidecar = folder / "net.v2.names.json";
  CHECK(rfseg::network::sidecar_names(model).path.empty());
  SUBCASE("is read, for an engine too") {
    std::ofstream(sidecar) << R"(["a", "b"])";
    CHECK(std::get<List>(rfseg::network::sidecar_names(model).names) == List{"a", "b"});
    CHECK(std::get<List>(rfseg::network::sidecar_names(folder / "net.v2.engine").names) == List{"a", "b"});
  }
  SUBCASE("is named when it is malformed") {
    std::ofstream(sidecar) << "[";
    const std::string expected = "class names in " + sidecar.string() + ": expected a value at byte 1";
    CHECK_THROWS_WITH_AS(rfseg::network::sidecar_names(model), expected.c_str(), rfseg::ModelError);
  }
  SUBCASE("must be a file") {
    std::filesystem::create_directory(sidecar);
    const std::string expected = "class names in " + sidecar.string() + ": cannot be read: not a regular file";
    CHECK_THROWS_WITH_AS(rfseg::network::sidecar_names(model), expected.c_str(), rfseg::ModelError);
  }
  SUBCASE("a list for the whole folder comes second") {
    std::ofstream(folder / "class_names.txt") << "a\nb\n";
    CHECK(std::get<List>(rfseg::network::sidecar_names(model).names) == List{"a", "b"});
    CHECK(rfseg::network::sidecar_names(model).shared);
    std::ofstream(sidecar) << "[\"c\"]";
    CHECK(std::get<List>(rfseg::network::sidecar_names(model).names) == List{"c"});
  }
}
