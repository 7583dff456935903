// java Call.java, with Java 17 or later and the JDK alone. Calls the upstream, and once more with the next token where it
// answers 401. The JDK reads no JSON: the two members are found by their names.
import static java.nio.charset.StandardCharsets.UTF_8;
import java.net.URI;
import java.net.http.*;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.*;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.regex.Pattern;

class Call {
  static final HttpClient client = HttpClient.newHttpClient();

  static HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  /** Asks the agent for the token; with a report, for the one after a dead one. */
  static String handOut(String report) throws Exception {
    var request = HttpRequest.newBuilder(URI.create(System.getenv("AGENT_URL") + "/tokens/helpdesk/88"))
        .header("X-Token-Broker-Agent-Token", Files.readString(Path.of(System.getenv("AGENT_TOKEN_FILE"))));
    if (report != null) request.header("Content-Type", "application/json").POST(BodyPublishers.ofString(report));
    var answer = send(request);
    if (answer.statusCode() != 200) throw new Exception("no token: " + answer.body());
    var found = Pattern.compile("\"access_token\":\"([^\"]+)\"").matcher(answer.body());
    found.find();
    return found.group(1);
  }

  static HttpResponse<String> call(String token) throws Exception {
    var url = URI.create(System.getenv("UPSTREAM_URL") + "/jobs/MyOpenJobs");
    return send(HttpRequest.newBuilder(url).header("Authorization", "Bearer " + token));
  }

  public static void main(String[] args) throws Exception {
    var token = handOut(null);
    var answer = call(token);
    if (answer.statusCode() == 401) {
      var hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(UTF_8)));
      answer = call(handOut("{\"rejected\":\"" + hash + "\"}"));
    }
    System.out.println(answer.body());
  }
}
