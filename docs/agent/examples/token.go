// Go's standard library alone.
package main

import (
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	secret, _ := os.ReadFile(os.Getenv("AGENT_TOKEN_FILE"))
	request, _ := http.NewRequest("GET", os.Getenv("AGENT_URL")+"/tokens/helpdesk/88", nil)
	request.Header.Set("X-Token-Broker-Agent-Token", string(secret))
	answer, err := http.DefaultClient.Do(request)
	if err != nil || answer.StatusCode != 200 {
		log.Fatal("no token: ", err, answer)
	}
	io.Copy(os.Stdout, answer.Body)
}
