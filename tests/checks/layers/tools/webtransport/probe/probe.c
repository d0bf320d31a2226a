#include "cert/cert_show.h"
