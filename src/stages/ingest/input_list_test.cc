#include "stages/ingest/input_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "absl/cleanup/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "stages/ingest/folder_walk.h"

namespace sightline::ingest {
namespace {

using absl::StatusCode;
using std::filesystem::path;
using testing::ElementsAre;
using testing::HasSubstr;

class InputListTest : public testing::Test {
 protected:
  InputListTest() {
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(folder_.path());
  }
  ~InputListTest() override { std::filesystem::current_path(before_); }

  static void Touch(const path& file, const std::string& text = "x") {
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  // Names in order; "!name" for what can't be read.
  std::vector<std::string> List(std::vector<std::string> words, InputListOptions options = {}) {
    inputs_.clear();
    auto list = InputList::Create(words, options);
    EXPECT_TRUE(list.ok()) << list.status();
    std::vector<std::string> names;
    while (auto input = (*list)->Next()) {
      names.push_back((input->status.ok() ? "" : "!") + input->name);
      inputs_.push_back(*input);
    }
    if (options.standard_input == nullptr) {
      EXPECT_EQ(CountInputs(words, options, nullptr), static_cast<int64_t>(names.size()));
    }
    return names;
  }
  static StatusCode CodeOf(std::vector<std::string> words) {
    return InputList::Create(std::move(words), {}).status().code();
  }

  TemporaryFolder folder_ = TemporaryFolder::Create().value();
  path before_;
  std::vector<Input> inputs_;
};

TEST_F(InputListTest, folders_are_read_in_byte_order_without_hidden_entries_and_sidecars) {
  for (const char* file : {"f/b.jpg", "f/B.jpg", "f/a/z.png", "f/a.jpg", "f/.hidden.jpg", "f/.git/x.jpg",
                           "f/labels.csv", "f/notes.TXT", "f/c.noidea", "f/\xC3\xBC.jpg"}) {
    Touch(file);
  }
  EXPECT_THAT(List({"f"}),
              ElementsAre("f/B.jpg", "f/a/z.png", "f/a.jpg", "f/b.jpg", "f/c.noidea", "f/\xC3\xBC.jpg"));
  EXPECT_THAT(List({"f/", "f/labels.csv"}), testing::Contains("f/labels.csv"));
}

TEST_F(InputListTest, words_that_are_not_there_become_errors_and_the_rest_goes_on) {
  Touch("a.jpg");
  std::filesystem::create_symlink("nowhere", "dangling.jpg");
  ASSERT_EQ(mkfifo("pipe", 0600), 0);
  EXPECT_THAT(List({"missing.jpg", "dangling.jpg", "pipe", "@missing.txt", "a.jpg"}),
              ElementsAre("!missing.jpg", "!dangling.jpg", "!pipe", "!@missing.txt", "a.jpg"));
  EXPECT_EQ(inputs_[0].status.code(), StatusCode::kNotFound);
  EXPECT_THAT(inputs_[1].status.ToString(), HasSubstr("a link that leads nowhere"));
}

TEST_F(InputListTest, links_are_followed_and_loops_are_one_error_each) {
  Touch("f/real/a.jpg");
  std::filesystem::create_symlink("real", "f/twin");
  std::filesystem::create_symlink("..", "f/real/up");
  std::filesystem::create_symlink("self", "f/self");
  std::filesystem::create_symlink("/nowhere", "f/dangling.jpg");
  EXPECT_THAT(List({"f"}), ElementsAre("!f/dangling.jpg", "f/real/a.jpg", "!f/real/up", "!f/self",
                                       "f/twin/a.jpg", "!f/twin/up"));
  EXPECT_THAT(inputs_[2].status.ToString(), HasSubstr("a link loop: it leads back to f/"));
}

TEST_F(InputListTest, a_tree_of_links_that_doubles_at_each_level_ends) {
  for (int i = 0; i < 40; ++i) {
    const path level = fmt::format("d{}", i);
    std::filesystem::create_directory(level);
    std::filesystem::create_symlink(fmt::format("../d{}", i + 1), level / "a");
    std::filesystem::create_symlink(fmt::format("../d{}", i + 1), level / "b");
  }
  std::filesystem::create_directory("d40");
  EXPECT_EQ(List({"d0"}).size(), 1u);
  EXPECT_EQ(inputs_[0].status.code(), StatusCode::kResourceExhausted);
}

TEST_F(InputListTest, a_deep_tree_ends_at_the_limit) {
  for (int i = 0; i < kFolderDepthMax + 2; ++i) {
    ASSERT_EQ(mkdir("d", 0700), 0);
    ASSERT_EQ(chdir("d"), 0);
  }
  std::filesystem::current_path(folder_.path());
  EXPECT_EQ(List({"d"}).size(), 1u);
  EXPECT_EQ(inputs_[0].status.code(), StatusCode::kResourceExhausted);
}

TEST_F(InputListTest, an_unreadable_folder_is_one_error) {
  Touch("f/a/x.jpg");
  Touch("f/b.jpg");
  ASSERT_EQ(chmod("f/a", 0), 0);
  ASSERT_EQ(chmod(".", 0755), 0);
  // Root may read anything, so be somebody else meanwhile.
  const bool root = geteuid() == 0;
  ASSERT_EQ(root ? seteuid(65534) : 0, 0);
  const auto back = absl::MakeCleanup([&] {
    EXPECT_EQ(root ? seteuid(0) : 0, 0);
    chmod("f/a", 0700);
  });
  EXPECT_THAT(List({"f"}), ElementsAre("!f/a", "f/b.jpg"));
  EXPECT_EQ(inputs_[0].status.code(), StatusCode::kPermissionDenied);
}

TEST_F(InputListTest, globs_expand_here_and_match_nothing_loudly) {
  for (const char* file : {"f/a1.jpg", "f/a2.JPG", "f/b1.jpg", "f/s/a3.jpg", "f/s/t/a4.jpg", "f/.h/a5.jpg",
                           "f/a.txt", "f/[x].jpg"}) {
    Touch(file);
  }
  EXPECT_THAT(List({"f/a*.jpg"}), ElementsAre("f/a1.jpg"));
  EXPECT_THAT(List({"f/?[12].*"}), ElementsAre("f/a1.jpg", "f/a2.JPG", "f/b1.jpg"));
  EXPECT_THAT(List({"f/[!a]1.jpg"}), ElementsAre("f/b1.jpg"));
  EXPECT_THAT(List({"f/**/a*.jpg"}), ElementsAre("f/a1.jpg", "f/s/a3.jpg", "f/s/t/a4.jpg"));
  EXPECT_THAT(List({"**/t/*"}), ElementsAre("f/s/t/a4.jpg"));
  EXPECT_THAT(List({"f/**"}),
              ElementsAre("f/[x].jpg", "f/a1.jpg", "f/a2.JPG", "f/b1.jpg", "f/s/a3.jpg", "f/s/t/a4.jpg"));
  EXPECT_THAT(List({"f/s*"}), ElementsAre("f/s/a3.jpg", "f/s/t/a4.jpg"));  // a folder means all below it
  EXPECT_THAT(List({"f/a.*"}), ElementsAre("!f/a.*"));                     // a sidecar
  EXPECT_THAT(List({"f/a.tx*"}), ElementsAre("!f/a.tx*"));
  EXPECT_THAT(List({"f/*.txt"}), ElementsAre("f/a.txt"));      // asked for
  EXPECT_THAT(List({"f/[x].jpg"}), ElementsAre("f/[x].jpg"));  // a file of that name comes first
  EXPECT_THAT(List({"f/\\[x*"}), ElementsAre("f/[x].jpg"));
  EXPECT_THAT(List({"nothing/*.jpg", "f/*.gif"}), ElementsAre("!nothing/*.jpg", "!f/*.gif"));
  EXPECT_EQ(inputs_[0].status.code(), StatusCode::kNotFound);
}

// The answers are Python's fnmatch.fnmatchcase for the same pairs, but for the rule about leading dots.
TEST(MatchesComponent, agrees_with_fnmatch) {
  const std::tuple<const char*, const char*, bool> pairs[] = {{"*", "", true},
                                                              {"", "", true},
                                                              {"", "a", false},
                                                              {"a*b*c", "axxbyyc", true},
                                                              {"a*b*c", "axxbyy", false},
                                                              {"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaa", false},
                                                              {"?", "\xC3\xBC", true},
                                                              {"??", "\xC3\xBC", false},
                                                              {"[a-c]x", "bx", true},
                                                              {"[!a-c]x", "bx", false},
                                                              {"[]]", "]", true},
                                                              {"[a", "[a", true},
                                                              {"[-a]", "-", true},
                                                              {"*.jpg", "a.jpg.png", false},
                                                              {"***", "x", true}};
  for (const auto& [pattern, name, matches] : pairs)
    EXPECT_EQ(MatchesComponent(pattern, name), matches) << pattern << " " << name;
  EXPECT_FALSE(MatchesComponent("*", ".hidden"));
  EXPECT_TRUE(MatchesComponent(".*", ".hidden"));
}

TEST_F(InputListTest, lists_hold_files_folders_globs_urls_and_comments) {
  Touch("here.jpg");
  Touch("lists/beside.jpg");
  Touch("lists/f/in.jpg");
  Touch("lists/list.txt",
        "\xEF\xBB\xBF# a comment\r\nhere.jpg\r\n\r\n  beside.jpg  \nf\n*.jp*\nf/*.jpg\nnowhere.jpg\n"
        "http://bob:secret@host/a.jpg\nftp://host/a.jpg\n@other.txt\nlast.jpg");
  EXPECT_THAT(
      List({"@lists/list.txt"}),
      ElementsAre("here.jpg", "lists/beside.jpg", "lists/f/in.jpg", "here.jpg", "lists/f/in.jpg",
                  "!nowhere.jpg", "http://host/a.jpg", "!ftp://host/a.jpg", "!@other.txt", "!last.jpg"));
  EXPECT_THAT(inputs_[5].status.ToString(), HasSubstr("line 8 of lists/list.txt"));
  EXPECT_EQ(inputs_[6].address, "http://bob:secret@host/a.jpg");
  EXPECT_EQ(inputs_[6].kind, InputKind::kUrl);
}

TEST_F(InputListTest, standard_input_is_a_list_too) {
  Touch("a.jpg");
  std::istringstream text("a.jpg\n#b\na.jpg");
  EXPECT_THAT(List({"-"}, {.limits = {}, .standard_input = &text}), ElementsAre("a.jpg", "a.jpg"));
  EXPECT_EQ(CountInputs({"-"}, {.limits = {}, .standard_input = &text}, nullptr), std::nullopt);
  EXPECT_EQ(CodeOf({"-"}), StatusCode::kInvalidArgument);
}

TEST_F(InputListTest, lists_may_end_their_lines_with_zero_bytes) {
  Touch("#a.jpg");
  Touch(" b\nb.jpg");
  std::istringstream text(std::string("#a.jpg\0 b\nb.jpg\0", 16));
  EXPECT_THAT(List({"-"}, {.limits = {}, .standard_input = &text}), ElementsAre("#a.jpg", " b\nb.jpg"));
}

TEST_F(InputListTest, endless_lines_and_binary_lists_are_errors_not_memory) {
  Touch("list.txt", std::string(100'000, 'a') + "\n" + std::string("\0\0bad", 5) + "\n");
  EXPECT_EQ(List({"@list.txt"}).size(), 2u);
  EXPECT_LT(inputs_[0].name.size(), 200u);
  EXPECT_EQ(inputs_[0].status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(inputs_[1].status.code(), StatusCode::kInvalidArgument);
}

TEST_F(InputListTest, other_schemes_are_refused_at_once) {
  for (const char* word :
       {"file:///etc/passwd", "file:a.jpg", "ftp://h/a", "concat:a|b", "data:image/png;base64,AA",
        "javascript:alert(1)", "pipe:0", "http:/x", "http://", "https://h:0/", "lavfi:testsrc", ""}) {
    EXPECT_EQ(CodeOf({word}), StatusCode::kInvalidArgument) << word;
  }
  EXPECT_EQ(CodeOf({}), StatusCode::kInvalidArgument);
  EXPECT_THAT(
      InputList::Create({"ftp://u:secret@h/a"}, {}).status().ToString(),
      testing::AllOf(HasSubstr("http, https, rtsp, rtsps and sim"), testing::Not(HasSubstr("secret"))));
}

TEST_F(InputListTest, a_file_may_have_a_colon_in_its_name) {
  Touch("trip:1.jpg");
  Touch("12:30.jpg");
  EXPECT_THAT(List({"trip:1.jpg", "12:30.jpg"}), ElementsAre("trip:1.jpg", "12:30.jpg"));
}

TEST_F(InputListTest, urls_keep_their_credentials_only_in_the_address) {
  EXPECT_THAT(List({"rtsp://u:p@cam/live", "HTTPS://h/a.jpg"}),
              ElementsAre("rtsp://cam/live", "HTTPS://h/a.jpg"));
  EXPECT_EQ(inputs_[0].address, "rtsp://u:p@cam/live");
  EXPECT_TRUE(IsStream(inputs_[0]));
  EXPECT_FALSE(IsStream(inputs_[1]));
}

TEST_F(InputListTest, names_are_utf8_and_addresses_are_the_bytes) {
  Touch("f/a\xFF.jpg");
  EXPECT_THAT(List({"f"}), ElementsAre("f/a\xEF\xBF\xBD.jpg"));
  EXPECT_EQ(inputs_[0].address, "f/a\xFF.jpg");
}

TEST_F(InputListTest, the_limit_on_inputs_ends_the_list_with_an_error) {
  for (int i = 0; i < 10; ++i) Touch(fmt::format("f/{}/a.jpg", i));
  InputListOptions options;
  options.limits.inputs_max = 3;
  EXPECT_EQ(List({"f/1", "f/2", "f/3", "f/4", "f/5"}, options).size(), 4u);
  EXPECT_EQ(inputs_.back().status.code(), StatusCode::kResourceExhausted);
}

TEST_F(InputListTest, counting_stops_when_cancelled) {
  for (int i = 0; i < 10; ++i) Touch(fmt::format("f/{}/a.jpg", i));
  int asked = 0;
  EXPECT_EQ(CountInputs({"f"}, {}, [&] { return ++asked > 3; }), std::nullopt);
}

}  // namespace
}  // namespace sightline::ingest
