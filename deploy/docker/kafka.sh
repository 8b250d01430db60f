#!/usr/bin/env bash
# Starts one Kafka node in its container from the settings that natively run Kafka has too (deploy/stores/kafka.properties).
# The image's own start script knows no SCRAM users at format time, so this does what it does: format once, then run.
# Reads ADMIN_PASSWORD, <SERVICE>_PASSWORD for each of SERVICES, HOST_PORT (the port clients outside of Docker use), and
# KAFKA_SETTINGS, further ones as `name=value name=value`.
set -euo pipefail
umask 077

kafka=${KAFKA_HOME:-/opt/kafka}
data=${KAFKA_DATA:-/var/lib/kafka/data}
here=$(dirname "$0")
properties=$(mktemp)
scram=org.apache.kafka.common.security.scram.ScramLoginModule
plain=org.apache.kafka.common.security.plain.PlainLoginModule
login="username=\"admin\" password=\"$ADMIN_PASSWORD\""

# The later of two equal keys counts.
cat "$here/kafka.properties" - >"$properties" <<PROPERTIES

listeners=CLIENT://0.0.0.0:9092,HOST://0.0.0.0:$HOST_PORT,CONTROLLER://127.0.0.1:9093
advertised.listeners=CLIENT://${ADVERTISED_HOST:-kafka}:9092,HOST://127.0.0.1:$HOST_PORT
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,HOST:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
controller.quorum.voters=1@127.0.0.1:9093
log.dirs=$data
listener.name.host.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.client.scram-sha-512.sasl.jaas.config=$scram required $login;
listener.name.host.scram-sha-512.sasl.jaas.config=$scram required $login;
listener.name.controller.plain.sasl.jaas.config=$plain required $login user_admin="$ADMIN_PASSWORD";
$(tr ' ' '\n' <<<"${KAFKA_SETTINGS:-}")
PROPERTIES

if [ ! -f "$data/meta.properties" ]; then
  users=(--add-scram "SCRAM-SHA-512=[name=admin,iterations=4096,password=$ADMIN_PASSWORD]")
  for service in $SERVICES; do
    variable="${service^^}_PASSWORD"
    users+=(--add-scram "SCRAM-SHA-512=[name=$service,iterations=4096,password=${!variable}]")
  done
  KAFKA_HEAP_OPTS=-Xmx64m "$kafka/bin/kafka-storage.sh" format \
    -t "$("$kafka/bin/kafka-storage.sh" random-uuid)" -c "$properties" "${users[@]}"
fi

export KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=$here/kafka-log4j2.yaml -Dlethe.logs=$kafka/logs"
exec "$kafka/bin/kafka-server-start.sh" "$properties"
