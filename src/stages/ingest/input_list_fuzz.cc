// Any bytes as a list of inputs: parsing ends, and what is named as readable is a file or an allowed URL.
#include <fcntl.h>
#include <unistd.h>

#include <sstream>

#include "absl/cleanup/cleanup.h"
#include "base/check.h"
#include "base/file.h"
#include "base/net/url.h"
#include "stages/ingest/folder_walk.h"
#include "stages/ingest/input_list.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sightline;          // NOLINT: the fuzzer's one function
  using namespace sightline::ingest;  // NOLINT
  const std::string text(reinterpret_cast<const char*>(data), size);
  // A pattern and a name from the same bytes.
  const size_t half = size / 2;
  MatchesComponent(std::string_view(text).substr(0, half), std::string_view(text).substr(half));
  if (const auto url = ParseUrl(text); url.ok()) {
    const auto again = ParseUrl(url->Text());
    CHECK(again.ok() && *again == *url) << url->Text();
    (void)ResolveReference(*url, std::string_view(text).substr(half));
  }
  (void)WithoutAnyCredentials(text);
  // Absolute paths and ".." would walk the machine that fuzzes.
  if (text.find('/') != std::string::npos || text.find("..") != std::string::npos) return 0;
  // Lists are read in a small folder of our own; the fuzzer's corpus is named from where it was started.
  static const int started_in = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  static const TemporaryFolder& folder = *new TemporaryFolder([] {
    auto made = TemporaryFolder::Create().value();
    CHECK(WriteFileAtomically(made.path() / "a.jpg", "x").ok()) << "no test file";
    std::filesystem::create_directory(made.path() / "f");
    CHECK(WriteFileAtomically(made.path() / "f" / "b.jpg", "x").ok()) << "no test file";
    std::filesystem::create_symlink(".", made.path() / "loop");
    return made;
  }());
  std::filesystem::current_path(folder.path());
  const auto back = absl::MakeCleanup([] { CHECK(fchdir(started_in) == 0) << "no way back"; });
  std::istringstream stream(text);
  InputListOptions options;
  options.limits.inputs_max = 1000;
  options.standard_input = &stream;
  auto list = InputList::Create({"-"}, options);
  CHECK(list.ok()) << list.status();
  for (int i = 0; i < 2000; ++i) {
    const auto input = (*list)->Next();
    if (!input) return 0;
    CHECK(!input->status.ok() || !input->address.empty()) << "an input without an address";
  }
  CHECK(false) << "the limit on inputs did not hold";
}
