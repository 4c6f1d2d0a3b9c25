package wxcrypto

// The builders of signed messages and a constructor without the rule of 32 characters, for vectors made elsewhere.
var (
	RequestMessage = requestMessage
	AnswerMessage  = answerMessage
	JSAPIMessage   = jsapiMessage
	AppMessage     = appMessage
	NewAPIv3Key    = newAPIv3Key
	OpenECB        = openECB
)
