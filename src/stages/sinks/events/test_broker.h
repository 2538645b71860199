// For tests only: a broker as a child process on a free port of this machine, and certificates for it.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "base/check.h"
#include "base/text.h"

namespace sightline::sinks {

inline sockaddr_in LoopbackAddress(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

inline int FreePort() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = LoopbackAddress(0);
  socklen_t size = sizeof address;
  CHECK(bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) == 0) << "no port";
  CHECK(getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0) << "no port";
  close(descriptor);
  return ntohs(address.sin_port);
}

inline bool Listens(int port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = LoopbackAddress(port);
  const bool listens = connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(descriptor);
  return listens;
}

// Runs until destroyed or stopped; started when its port takes connections.
class TestBroker {
 public:
  TestBroker(std::vector<std::string> words, int port) : words_(std::move(words)), port_(port) { Start(); }
  ~TestBroker() { Stop(); }
  TestBroker(const TestBroker&) = delete;
  TestBroker& operator=(const TestBroker&) = delete;

  int port() const { return port_; }
  void Freeze() const {
    kill(child_, SIGSTOP);
    CHECK(waitpid(child_, nullptr, WUNTRACED) == child_) << "not stopped";
  }
  void Stop() {
    if (child_ < 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    child_ = -1;
  }
  void Start() {
    std::vector<char*> pointers;
    for (std::string& word : words_) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    child_ = fork();
    CHECK(child_ >= 0) << "no process";
    if (child_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int nowhere = open("/dev/null", O_RDWR);
      dup2(nowhere, 1);
      dup2(nowhere, 2);
      execvp(pointers[0], pointers.data());
      _exit(127);
    }
    for (int i = 0; i < 1000 && !Listens(port_); ++i) absl::SleepFor(absl::Milliseconds(10));
    CHECK(Listens(port_)) << words_[0] << " did not start";
  }

 private:
  std::vector<std::string> words_;
  const int port_;
  pid_t child_ = -1;
};

// cert.pem and key.pem in `folder`, for localhost; the certificate is its own authority.
inline void MakeCertificate(const std::filesystem::path& folder) {
  const std::string command = fmt::format(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
      "-addext "
      "subjectAltName=DNS:localhost -keyout {0}/key.pem -out {0}/cert.pem 2>/dev/null && chmod 644 "
      "{0}/key.pem",
      folder.string());
  CHECK(std::system(command.c_str()) == 0) << "openssl is needed";
}

}  // namespace sightline::sinks
