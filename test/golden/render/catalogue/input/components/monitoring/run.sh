#!/usr/bin/env bash
set -euo pipefail
echo -n "Waiting: "
until oc get csv -n x | grep -q Succeeded; do
  echo -n .
	sleep 5
done


