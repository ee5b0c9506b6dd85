#!/bin/sh
# The namespace that the contracts live in; closed workflows can be looked at for 90 days.
set -eu

until temporal operator cluster health; do sleep 2; done
temporal operator namespace describe -n "$TEMPORAL_NAMESPACE" ||
    temporal operator namespace create -n "$TEMPORAL_NAMESPACE" --retention 90d
