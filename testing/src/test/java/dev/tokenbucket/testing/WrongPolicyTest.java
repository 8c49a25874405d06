package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Needs root, for the agent. */
@ExtendWith({RequiresRoot.class, ControlPlaneExtension.class})
class WrongPolicyTest {
  /** Each as a spec, with a part of what it is refused with. */
  private static final String WRONG =
      """
      {rate: {packetsPerSecond: 10, bitsPerSecond: 1M}}
        | spec.rate: Invalid value: exactly one of packetsPerSecond, bitsPerSecond must be set
      {rate: {}}
        | spec.rate: Invalid value: exactly one of packetsPerSecond, bitsPerSecond must be set
      {}
        | spec.rate: Required value
      {rate: {packetsPerSecond: 10}, burst: {bytes: 2000}}
        | spec.burst.bytes: Forbidden: burst.bytes goes with rate.bitsPerSecond
      {rate: {bitsPerSecond: 1M}, burst: {packets: 20}}
        | spec.burst.packets: Forbidden: burst.packets goes with rate.packetsPerSecond
      {rate: {packetsPerSecond: 10}, burst: {packets: 0}}
        | spec.burst.packets: Invalid value: 0: must be a whole quantity from 1 to 1Ti
      {rate: {bitsPerSecond: 1M}, burst: {bytes: 1513}}
        | spec.burst.bytes: Invalid value: 1513: must be a whole quantity from 1514
      {rate: {packetsPerSecond: 0}}
        | spec.rate.packetsPerSecond: Invalid value: 0: must be a whole quantity from 1 to 10G packets a second
      {rate: {packetsPerSecond: -5}}
        | spec.rate.packetsPerSecond: Invalid value: -5: must be a whole quantity from 1 to 10G packets a second
      {rate: {packetsPerSecond: 500m}}
        | spec.rate.packetsPerSecond: Invalid value: "500m": must be a whole quantity from 1 to 10G packets a second
      {rate: {packetsPerSecond: '1.5'}}
        | spec.rate.packetsPerSecond: Invalid value: "1.5": must be a whole quantity from 1 to 10G packets a second
      {rate: {packetsPerSecond: 1.5}}
        | spec.rate.packetsPerSecond in body must be of type integer,string: "number"
      {rate: {packetsPerSecond: 11G}}
        | spec.rate.packetsPerSecond: Invalid value: "11G": must be a whole quantity from 1 to 10G packets a second
      {rate: {packetsPerSecond: abc}}
        | spec.rate.packetsPerSecond: Invalid value: "abc": must be a whole quantity from 1 to 10G packets a second
      {rate: {packetsPerSecond: true}}
        | must be of type integer,string: "boolean"
      {rate: {packetsPerSecond: []}}
        | must be of type integer,string: "array"
      {rate: {bitsPerSecond: 11T}}
        | spec.rate.bitsPerSecond: Invalid value: "11T": must be a whole quantity from 8 to 10T bits a second
      {rate: {bitsPerSecond: 7}}
        | spec.rate.bitsPerSecond: Invalid value: 7: must be a whole quantity from 8 to 10T bits a second
      {rate: {packetsPerSecond: 10}, burst: {packets: 2Ti}}
        | spec.burst.packets: Invalid value: "2Ti": must be
      {rate: {packetsPerSecond: 10}, burst: {}}
        | spec.burst: Invalid value: exactly one of packets, bytes must be set
      {rate: {packetsPerSecond: 10}, burst: {packets: 5, bytes: 2000}}
        | spec.burst: Invalid value: exactly one of packets, bytes must be set
      {rate: {packetsPerSecond: 10}, interfaces: [{name: ''}]}
        | spec.interfaces[0].name: Invalid value: "": spec.interfaces[0].name in body should be at least 1
      {rate: {packetsPerSecond: 10}, interfaces: []}
        | spec.interfaces: Invalid value: 0: spec.interfaces in body should have at least 1 items
      {rate: {packetsPerSecond: 10}, interfaces: [{}]}
        | spec.interfaces[0]: Invalid value: exactly one of defaultRoute, name, pattern must be set
      {rate: {packetsPerSecond: 10}, interfaces: [{name: eth0, defaultRoute: true}]}
        | spec.interfaces[0]: Invalid value: exactly one of defaultRoute, name, pattern must be set
      {rate: {packetsPerSecond: 10}, interfaces: [{defaultRoute: false}]}
        | spec.interfaces[0].defaultRoute: Invalid value: false: must be true where it is set
      {rate: {packetsPerSecond: 10}, interfaces: [{name: aninterfacenamethatistoolong}]}
        | spec.interfaces[0].name: Too long: may not be more than 15 bytes
      {rate: {packetsPerSecond: 10}, interfaces: [{name: a/b}]}
        | spec.interfaces[0].name: Invalid value: "a/b": must be an interface name
      {rate: {packetsPerSecond: 10}, interfaces: [{name: eth0, pattern: 'eth*'}]}
        | spec.interfaces[0]: Invalid value: exactly one of defaultRoute, name, pattern must be set
      {rate: {packetsPerSecond: 10}, interfaces: [{name: eth0, exclude: ['eth*']}]}
        | spec.interfaces[0]: Invalid value: exclude goes with pattern only
      {rate: {packetsPerSecond: 10}, interfaces: [{pattern: 'a/*'}]}
        | spec.interfaces[0].pattern: Invalid value: "a/*": must be an interface name with * and ?
      {rate: {packetsPerSecond: 10}, interfaces: [{pattern: ''}]}
        | spec.interfaces[0].pattern: Invalid value: "": spec.interfaces[0].pattern in body should be at least 1
      {rate: {packetsPerSecond: 10}, interfaces: eth0}
        | spec.interfaces in body must be of type array: "string"
      {rate: {packetsPerSecond: 10}, direction: Up}
        | spec.direction: Unsupported value: "Up": supported values: "Egress", "Ingress"
      {rate: {packetsPerSecond: 10}, direction: 5}
        | spec.direction in body must be of type string: "integer"
      {rate: {packetsPerSecond: 10}, priority: high}
        | spec.priority in body must be of type integer: "string"
      {rate: {packetsPerSecond: 10}, priority: 1001}
        | spec.priority: Invalid value: 1001: must be from 0 to 1000
      {rate: {packetsPerSecond: 10}, priority: 1.5}
        | spec.priority in body must be of type integer: "number"
      {rate: {packetsPerSecond: 10}, bucket: {per: Conversation}}
        | spec.bucket.per: Unsupported value: "Conversation"
      {rate: {packetsPerSecond: 10}, bucket: {per: Flow, ipv4PrefixLength: 24}}
        | spec.bucket: Invalid value: ipv4PrefixLength and ipv6PrefixLength go with per SourceIP
      {rate: {packetsPerSecond: 10}, bucket: {ipv6PrefixLength: 64}}
        | spec.bucket: Invalid value: ipv4PrefixLength and ipv6PrefixLength go with per SourceIP
      {rate: {packetsPerSecond: 10}, bucket: {per: SourceIP, ipv4PrefixLength: 33}}
        | spec.bucket.ipv4PrefixLength: Invalid value: 33: must be from 1 to 32
      {rate: {packetsPerSecond: 10}, bucket: {per: DestinationIP, ipv6PrefixLength: 0}}
        | spec.bucket.ipv6PrefixLength: Invalid value: 0: must be from 1 to 128
      {rate: {packetsPerSecond: 10}, bucket: {capacity: 0}}
        | spec.bucket.capacity: Invalid value: 0: must be from 1 to 4000000
      {rate: {packetsPerSecond: 10}, mode: Dry, direction: Up}
        | spec.mode: Unsupported value: "Dry"
      {rate: {packetsPerSecond: 10}, foo: 1}
        | unknown field "spec.foo"
      {rate: {packetsPerSecond: 10, foo: 1}, bar: {}}
        | unknown field "spec.bar", unknown field "spec.rate.foo"
      {rate: 10}
        | spec.rate in body must be of type object: "integer"
      {rate: {packetsPerSecond: null}}
        | spec.rate: Invalid value: exactly one of
      {rate: {packetsPerSecond: 0}, priority: 5000, interfaces: [{name: ''}]}
        | spec.priority: Invalid value: 5000: must be from 0 to 1000
      """;

  private record Wrong(String spec, String refusal) {}

  private static List<Wrong> wrong() {
    List<String> lines = WRONG.lines().map(String::strip).toList();
    List<Wrong> wrong = new ArrayList<>();
    for (int i = 0; i + 1 < lines.size(); i += 2) {
      wrong.add(new Wrong(lines.get(i), lines.get(i + 1).substring(2)));
    }
    return wrong;
  }

  @TempDir Path folder;

  @Test
  void eachIsRefusedByTheApiServerAndByTheAgentInTheSameWords(ControlPlane controlPlane)
      throws IOException {
    TreeMap<String, Wrong> byFile = new TreeMap<>();
    for (Wrong each : wrong()) {
      String file = "p%02d.yaml".formatted(byFile.size());
      byFile.put(file, each);
      Files.writeString(folder.resolve(file), document(file, each.spec()));
    }
    List<String> byAgent = refusalsOfAgent();

    SoftAssertions softly = new SoftAssertions();
    byFile.forEach(
        (file, each) -> {
          List<String> api = refusalsOfApi(controlPlane, file);
          List<String> agent =
              byAgent.stream()
                  .filter(line -> line.startsWith(file + ": "))
                  .map(line -> line.substring(file.length() + 2))
                  .toList();
          softly
              .assertThat(api)
              .as(each.spec())
              .anySatisfy(refusal -> assertThat(refusal).contains(each.refusal()));
          softly.assertThat(agent).as(each.spec()).containsExactlyInAnyOrderElementsOf(api);
        });
    softly.assertAll();
  }

  private static String document(String file, String spec) {
    return """
        apiVersion: tokenbucket.dev/v1alpha1
        kind: TokenBucketPolicy
        metadata: {name: %s}
        spec: %s
        """
        .formatted(file, spec);
  }

  private List<String> refusalsOfAgent() throws IOException {
    List<String> refusals = new ArrayList<>();
    try (TestNetwork network = TestNetwork.of(1, Files.createDirectory(folder.resolve("hosts")))) {
      TestHost host = network.hosts().get(0);
      try (Daemon agent = host.startAgent(folder, Daemon.Lifetime.WITH_PARENT)) {
        agent.awaitLog("refused p00.yaml", Duration.ofSeconds(20));
        for (JsonNode refusal : host.status().path("refused")) {
          refusals.add(refusal.asText());
        }
      }
    }
    return refusals;
  }

  private List<String> refusalsOfApi(ControlPlane controlPlane, String file) {
    StepFailedException failure =
        catchThrowableOfType(
            StepFailedException.class,
            () ->
                Commands.run(controlPlane.kubectl("apply", "-f", folder.resolve(file).toString())));
    String message = String.valueOf(failure.getMessage());
    int strict = message.indexOf("strict decoding error");
    if (strict >= 0) {
      return List.of(message.substring(strict));
    }
    String refusals =
        message.substring(message.indexOf(" is invalid: ") + " is invalid: ".length());
    // What begins with <nil> only says that more may be wrong.
    return refusals
        .lines()
        .map(line -> line.startsWith("* ") ? line.substring(2) : line.strip())
        .filter(line -> !line.isEmpty() && !line.startsWith("<nil>"))
        .toList();
  }
}
