// dotnet run Token.cs, with .NET 10 or later and its own library alone.
using System; using System.IO; using System.Net.Http;
static class Token {
  static void Main() {
    var client = new HttpClient();
    var secret = File.ReadAllText(Environment.GetEnvironmentVariable("AGENT_TOKEN_FILE")).Trim();
    client.DefaultRequestHeaders.Add("X-Token-Broker-Agent-Token", secret);
    Console.WriteLine(client.GetStringAsync(Environment.GetEnvironmentVariable("AGENT_URL") + "/tokens/helpdesk/88").Result);
  }
}
