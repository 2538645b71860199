// The families, each defined in its own file, for head_table.cc.
#pragma once

#include "stages/postprocess/head.h"

namespace sightline::postprocess {

extern const HeadFamily kYolox;
extern const HeadFamily kYolov5;
extern const HeadFamily kYolov8;
extern const HeadFamily kNanodet;
extern const HeadFamily kSsd;
extern const HeadFamily kScrfd;
extern const HeadFamily kYunet;
extern const HeadFamily kClassify;
extern const HeadFamily kAttributes;
extern const HeadFamily kEmbedding;

}  // namespace sightline::postprocess
