// Credentials on a command line can be read by every user of the machine for as long as the program runs.
#pragma once

namespace sightline::app {

// Call once the arguments are copied: overwrites user names and passwords of URLs in them with '*', where
// `ps` and /proc show them. What was visible until then was visible: sources from the environment, a file or
// standard input never are.
void HideCredentials(int argc, char** argv);

}  // namespace sightline::app
