#include <algorithm>

#include "simulate/models/mesh_builder.h"

namespace sightline::simulate {

void BuildActor(const Actor& actor, double time_s, double detail, Mesh* mesh) {
  mesh->Clear();
  switch (actor.kind) {
    case ActorKind::kPerson:
      BuildPerson(actor, mesh);
      break;
    case ActorKind::kBicycle:
    case ActorKind::kMotorcycle:
      BuildTwoWheeler(actor, mesh);
      break;
    case ActorKind::kCar:
      BuildCar(actor, time_s, detail, mesh);
      break;
    case ActorKind::kBus:
      BuildBus(actor, time_s, mesh);
      break;
    case ActorKind::kTruck:
      BuildTruck(actor, time_s, mesh);
      break;
  }
}

}  // namespace sightline::simulate
