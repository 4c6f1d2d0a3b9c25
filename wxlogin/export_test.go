package wxlogin

// The parsers of foreign bytes, for the fuzz targets.

var (
	ReadAnswer = readAnswer
	Told       = told
)
