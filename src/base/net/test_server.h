// For tests only: the server of test_server.py as a child process that ends with this object.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/text.h"

namespace sightline {

class TestServer {
 public:
  // `script` is relative to the repository's root, where tests run. `python`: Debian's own for scripts that
  // need its packages.
  explicit TestServer(std::vector<std::string> arguments = {},
                      const std::string& script = "src/base/net/test_server.py",
                      const std::string& python = "python3") {
    int to_child[2], from_child[2];
    CHECK(pipe2(to_child, O_CLOEXEC) == 0 && pipe2(from_child, O_CLOEXEC) == 0) << "no pipe";
    std::vector<std::string> words = {python, script};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    child_ = fork();
    CHECK(child_ >= 0) << "no process";
    if (child_ == 0) {
      dup2(to_child[0], 0);
      dup2(from_child[1], 1);
      execvp(pointers[0], pointers.data());
      _exit(127);
    }
    close(to_child[0]);
    close(from_child[1]);
    standard_input_ = to_child[1];
    std::string text;
    for (char c = 0; read(from_child[0], &c, 1) == 1 && c != '\n';) text += c;
    close(from_child[0]);
    CHECK(!text.empty()) << "the test server did not start (python3 is needed)";
    port_ = std::atoi(text.c_str());
  }
  ~TestServer() {
    close(standard_input_);
    waitpid(child_, nullptr, 0);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  int port() const { return port_; }
  // A line for its standard input, where the script reads commands.
  void Say(const std::string& line) {
    const std::string text = line + "\n";
    CHECK(write(standard_input_, text.data(), text.size()) == static_cast<ssize_t>(text.size()))
        << "it has ended";
  }
  std::string Url(const std::string& path, const std::string& scheme = "http") const {
    return fmt::format("{}://127.0.0.1:{}{}", scheme, port_, path);
  }

 private:
  pid_t child_ = -1;
  int standard_input_ = -1;
  int port_ = 0;
};

}  // namespace sightline
