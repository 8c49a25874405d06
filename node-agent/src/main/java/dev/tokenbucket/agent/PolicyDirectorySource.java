package dev.tokenbucket.agent;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tokenbucket.agent.program.RunningHook;
import dev.tokenbucket.agent.validate.PolicyValidator;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.PolicyResolver;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicySpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Policies from the YAML files of a folder. A file that is refused leaves what it last said in
 * force, over restarts too; removing a file removes its policies.
 */
final class PolicyDirectorySource implements DesiredStateSource {
  private static final Logger LOG = LoggerFactory.getLogger(PolicyDirectorySource.class);
  private static final long MAX_FILE_BYTES = 1 << 20;
  private static final Set<String> TOP_LEVEL =
      Set.of("apiVersion", "kind", "metadata", "spec", "status");
  private static final Duration POLL = Duration.ofMillis(200);

  private final Path folder;
  private final HostOptions host;
  private final YAMLMapper yaml;
  private final PolicyValidator validator = PolicyValidator.ofCrd();
  private final ObjectMapper json = new ObjectMapper();

  /** By file: what it last said when it was good. */
  private final TreeMap<String, List<NodePolicy>> good;

  private Map<String, String> stamps = Map.of();
  private Optional<DesiredState> last = Optional.empty();

  PolicyDirectorySource(Path folder, HostOptions host) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new IOException("--policies " + folder + " is not a folder");
    }
    this.folder = folder;
    this.host = host;
    this.yaml = YAMLMapper.builder().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).build();
    this.good =
        Files.exists(lastGood())
            ? json.readValue(lastGood().toFile(), GoodFiles.class)
            : new TreeMap<>();
  }

  /** A policy that breaks rules; each reason names field, value and what is allowed. */
  private static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1;
    private final ArrayList<String> reasons;

    RefusedException(List<String> reasons) {
      super(String.join("; ", reasons));
      this.reasons = new ArrayList<>(reasons);
    }
  }

  /** For Jackson, which needs the type by name. */
  static final class GoodFiles extends TreeMap<String, List<NodePolicy>> {
    private static final long serialVersionUID = 1;
  }

  private Path lastGood() {
    return host.stateDir.resolve("last-good.json");
  }

  @Override
  public Optional<DesiredState> current() throws IOException {
    Map<String, String> now = stamps();
    if (last.isPresent() && now.equals(stamps)) {
      return last;
    }
    List<String> refusals = new ArrayList<>();
    good.keySet().retainAll(now.keySet());
    Set<String> names = new HashSet<>();
    for (String file : now.keySet()) {
      try {
        List<NodePolicy> policies = read(folder.resolve(file), names);
        good.put(file, policies);
        policies.forEach(policy -> names.add(policy.name()));
      } catch (IOException | RuntimeException e) {
        reasons(e).forEach(reason -> refusals.add(file + ": " + reason));
        good.getOrDefault(file, List.of()).forEach(policy -> names.add(policy.name()));
      }
    }
    stamps = now;
    write(lastGood(), json.writeValueAsString(good));
    write(host.refusals(), String.join("\n", refusals));
    refusals.forEach(each -> LOG.error("refused {}; what it last said stays in force", each));
    last =
        Optional.of(
            new DesiredState(0, good.values().stream().flatMap(List::stream).toList(), refusals));
    return last;
  }

  @Override
  public boolean looked() {
    return last.isPresent();
  }

  // A folder's files are looked at, not watched: inotify is silent on network file systems and on
  // the links by which Kubernetes projects a ConfigMap.
  @Override
  public void awaitChange(Duration most) throws InterruptedException {
    Thread.sleep(Math.min(most.toMillis(), POLL.toMillis()));
  }

  /** Name to time and size of each policy file, in order of name. */
  private Map<String, String> stamps() throws IOException {
    Map<String, String> stamps = new LinkedHashMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        String name = file.getFileName().toString();
        if ((name.endsWith(".yaml") || name.endsWith(".yml")) && Files.isRegularFile(file)) {
          stamps.put(name, Files.getLastModifiedTime(file) + " " + Files.size(file));
        }
      }
    }
    return stamps;
  }

  private List<NodePolicy> read(Path file, Set<String> taken) throws IOException {
    if (Files.size(file) > MAX_FILE_BYTES) {
      throw new IOException("larger than " + MAX_FILE_BYTES + " bytes");
    }
    Map<String, NodePolicy> before = new HashMap<>();
    good.getOrDefault(file.getFileName().toString(), List.of())
        .forEach(p -> before.put(p.name(), p));
    List<NodePolicy> policies = new ArrayList<>();
    Set<String> names = new HashSet<>(taken);
    try (MappingIterator<JsonNode> documents =
        yaml.readerFor(JsonNode.class).readValues(Files.readString(file))) {
      while (documents.hasNext()) {
        JsonNode document = documents.next();
        if (!document.isNull() && !document.isMissingNode()) {
          NodePolicy policy = policy(document, before);
          if (!names.add(policy.name())) {
            throw new IOException("metadata.name: Duplicate value: \"" + policy.name() + "\"");
          }
          policies.add(policy);
        }
      }
    }
    return List.copyOf(policies);
  }

  private NodePolicy policy(JsonNode document, Map<String, NodePolicy> before) throws IOException {
    expect(document, "apiVersion", "tokenbucket.dev/v1alpha1");
    expect(document, "kind", "TokenBucketPolicy");
    String name = document.path("metadata").path("name").asText();
    if (name.length() > 253 || !name.matches("[a-z0-9]([-.a-z0-9]*[a-z0-9])?")) {
      throw new IOException(
          "metadata.name: Invalid value: \"" + name + "\": must be an RFC 1123 subdomain");
    }
    unknownFields(document);
    List<String> refusals = validator.refusals(document.path("spec"));
    if (!refusals.isEmpty()) {
      throw new RefusedException(refusals);
    }
    TokenBucketPolicySpec spec =
        yaml.treeToValue(document.get("spec"), TokenBucketPolicySpec.class);
    if (spec.nodeSelector() != null) {
      throw new IOException(
          "spec.nodeSelector: Forbidden: a bare host has no labels; leave it out with --policies");
    }
    if (spec.rollout() != null && Boolean.TRUE.equals(spec.rollout().pause())) {
      throw new IOException(
          "spec.rollout.pause: Forbidden: a file of --policies is in force as soon as it is read;"
              + " leave the file as it was until the change may go out");
    }
    NodePolicy old = before.get(name);
    NodePolicy same = PolicyResolver.resolve(name, name, old == null ? 1 : old.generation(), spec);
    return old == null || old.equals(same)
        ? same
        : PolicyResolver.resolve(name, name, old.generation() + 1, spec);
  }

  private static void unknownFields(JsonNode document) throws IOException {
    List<String> unknown = new ArrayList<>();
    document
        .fieldNames()
        .forEachRemaining(
            name -> {
              if (!TOP_LEVEL.contains(name)) {
                unknown.add("unknown field \"" + name + "\"");
              }
            });
    if (!unknown.isEmpty()) {
      throw new IOException("strict decoding error: " + String.join(", ", unknown));
    }
  }

  private static void expect(JsonNode document, String field, String value) throws IOException {
    if (!document.path(field).asText().equals(value)) {
      throw new IOException(
          field
              + ": Unsupported value: \""
              + document.path(field).asText()
              + "\": supported values: \""
              + value
              + "\"");
    }
  }

  private static List<String> reasons(Exception e) {
    if (e instanceof RefusedException refused) {
      return refused.reasons;
    }
    String message = String.valueOf(e.getMessage());
    return List.of(message.lines().findFirst().orElse(message));
  }

  private static void write(Path file, String text) throws IOException {
    Path partial = file.resolveSibling(file.getFileName() + ".partial");
    Files.writeString(partial, text);
    Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  @Override
  public void report(
      DesiredState state,
      List<RunningHook> running,
      Map<String, String> failures,
      Map<String, List<String>> warnings)
      throws IOException {
    List<String> lines = new ArrayList<>(state.refusals());
    failures.forEach((uid, why) -> lines.add(uid + ": " + why));
    write(host.refusals(), String.join("\n", lines));
  }

  @Override
  public void close() {}
}
