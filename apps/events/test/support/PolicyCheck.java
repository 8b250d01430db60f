import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.xcontent.NamedXContentRegistry;
import org.elasticsearch.xcontent.NamedXContentRegistry.Entry;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentParserConfiguration;
import org.elasticsearch.xcontent.XContentType;
import org.elasticsearch.xpack.core.ilm.DeleteAction;
import org.elasticsearch.xpack.core.ilm.LifecycleAction;
import org.elasticsearch.xpack.core.ilm.LifecyclePolicy;
import org.elasticsearch.xpack.core.ilm.LifecycleType;
import org.elasticsearch.xpack.core.ilm.Phase;
import org.elasticsearch.xpack.core.ilm.TimeseriesLifecycleType;
import org.elasticsearch.xpack.core.ilm.action.PutLifecycleRequest;

/**
 * Reads lifecycle policies as `PUT _ilm/policy/…` does, by Elasticsearch's own code, without a cluster: for each file a line
 * `accepted <name> <phase>:<min_age ms>:<steps>…`, or `refused <name> <why>`.
 */
public class PolicyCheck {
  public static void main(String[] files) throws Exception {
    var registry =
        new NamedXContentRegistry(
            List.of(
                new Entry(
                    LifecycleType.class,
                    new ParseField(TimeseriesLifecycleType.TYPE),
                    parser -> TimeseriesLifecycleType.INSTANCE),
                // The ILM module, which is not in this build, registers a dozen; ours are known to need this one.
                new Entry(LifecycleAction.class, new ParseField(DeleteAction.NAME), DeleteAction::parse)));
    var configuration = XContentParserConfiguration.EMPTY.withRegistry(registry);
    for (String file : files) {
      String name = Path.of(file).getFileName().toString().replaceFirst("\\.json$", "");
      try {
        check(name, configuration, Files.readAllBytes(Path.of(file)));
      } catch (Exception refusal) {
        Throwable why = refusal;
        while (why.getCause() != null) why = why.getCause();
        System.out.println("refused " + name + " " + String.valueOf(why.getMessage()).replace('\n', ' '));
      }
    }
  }

  private static void check(String name, XContentParserConfiguration configuration, byte[] json) throws Exception {
    var factory =
        new PutLifecycleRequest.Factory() {
          @Override
          public PutLifecycleRequest create(LifecyclePolicy policy) {
            return new PutLifecycleRequest(TimeValue.ONE_MINUTE, TimeValue.ONE_MINUTE, policy);
          }

          @Override
          public String getPolicyName() {
            return name;
          }
        };
    try (var parser = XContentType.JSON.xContent().createParser(configuration, json)) {
      PutLifecycleRequest request = PutLifecycleRequest.parseRequest(factory, parser);
      var invalid = request.validate();
      if (invalid != null) throw invalid;
      LifecyclePolicy policy = request.getPolicy();
      policy.validate();
      var steps = policy.toSteps(null, null);
      var line = new StringBuilder("accepted " + name);
      for (Phase phase : policy.getPhases().values()) {
        long own = steps.stream().filter(step -> phase.getName().equals(step.getKey().phase())).count();
        line.append(' ').append(phase.getName()).append(':').append(phase.getMinimumAge().millis()).append(':').append(own);
      }
      System.out.println(line);
    }
  }
}
