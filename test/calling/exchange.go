// Exchanges a workload's JWT for a token with golang.org/x/oauth2, and prints the answer.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/url"
	"os"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	exchange := clientcredentials.Config{
		ClientID:  "ignored",
		TokenURL:  os.Getenv("TOKEN_BROKER_URL") + "/oauth2/token",
		AuthStyle: oauth2.AuthStyleInParams,
		EndpointParams: url.Values{
			"grant_type":         {"urn:ietf:params:oauth:grant-type:token-exchange"},
			"subject_token":      {os.Getenv("SUBJECT_TOKEN")},
			"subject_token_type": {"urn:ietf:params:oauth:token-type:jwt"},
			"audience":           {"helpdesk"},
			"requested_subject":  {"88"},
		},
	}
	token, err := exchange.Token(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(token); err != nil {
		log.Fatal(err)
	}
}
